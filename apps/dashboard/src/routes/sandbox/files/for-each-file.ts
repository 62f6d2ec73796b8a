// The same for several files, one after the other.
import type { FileEntry } from '@wrenn/sdk'
import { visibleText } from '../../../lib/file-paths.ts'
import { describeError } from '../../../ui/describe-error.ts'

/** Goes on after a failure. Throws at the end, with the first, when there was any. `done`: "deleted". */
export async function forEachFile(
  done: string,
  entries: readonly FileEntry[],
  work: (entry: FileEntry) => Promise<unknown>,
): Promise<void> {
  const failures: { name: string; error: unknown }[] = []
  for (const entry of entries) {
    try {
      await work(entry)
    } catch (error) {
      failures.push({ name: entry.name, error })
    }
  }
  const [first] = failures
  if (!first) return
  if (entries.length === 1) throw first.error
  const { message } = describeError(first.error)
  throw new Error(
    `${entries.length - failures.length} of ${entries.length} were ${done}. ${visibleText(first.name)}: ${message}`,
    { cause: first.error },
  )
}
