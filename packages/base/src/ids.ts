// Ids: a prefix, `-`, and 20 characters of lower-case base32 (RFC 4648 alphabet) from 100 random bits.
import { randomBytes } from 'node:crypto'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type SandboxId = Branded<'sandbox'>
export type UserId = Branded<'user'>
export type TeamId = Branded<'team'>
export type ApiKeyId = Branded<'api-key'>
export type HostId = Branded<'host'>
export type SnapshotId = Branded<'snapshot'>

type IdByPrefix = {
  sb: SandboxId
  usr: UserId
  team: TeamId
  key: ApiKeyId
  host: HostId
  snap: SnapshotId
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

export function newId<Prefix extends keyof IdByPrefix>(prefix: Prefix): IdByPrefix[Prefix] {
  const id: string = `${prefix}-${base32(randomBytes(20))}`
  return id as IdByPrefix[Prefix]
}

/** The text as an id; undefined when it does not have the form of one. */
export function parseId<Prefix extends keyof IdByPrefix>(
  prefix: Prefix,
  text: unknown,
): IdByPrefix[Prefix] | undefined {
  if (typeof text !== 'string' || !text.startsWith(`${prefix}-`)) return undefined
  return /^[a-z2-7]{20}$/.test(text.slice(prefix.length + 1)) ? (text as IdByPrefix[Prefix]) : undefined
}

/** One base32 character for each byte (its low five bits): 20 bytes give 20 characters, 100 bits. */
export function base32(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => alphabet[byte & 31]).join('')
}
