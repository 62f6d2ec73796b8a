// An instance is one platform on the machine. Everything it owns there (netns, taps, users, cgroups) carries its id,
// derived from its data folder, so that two platforms never touch what is the other's.
import { createHash } from 'node:crypto'
import { base32 } from './ids.ts'

/** Six lower-case characters from the real path of the data folder. Short: interface names hold 15 bytes. */
export function instanceId(dataFolder: string): string {
  return base32(createHash('sha256').update(dataFolder).digest()).slice(0, 6)
}
