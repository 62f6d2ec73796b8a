// Migrations at start: waits a while for a database that is still coming up; a mistake in its URL fails at once.
import { errorText, pollUntil } from '@wrenn/base'
import { StartError } from '../start-error.ts'
import { isUnavailable } from './errors.ts'
import { migrate } from './migrate.ts'

const startDeadlineMs = 30_000

/** Returns the versions it applied. Throws a StartError when DATABASE_URL or the database itself is wrong. */
export async function migrateWhenUp(url: string, timeoutMs = startDeadlineMs): Promise<string[]> {
  let failure: unknown
  const attempt = async (): Promise<{ applied: string[] } | { failed: true } | undefined> => {
    try {
      return { applied: await migrate(url) }
    } catch (error) {
      failure = error
      const lost = isUnavailable(error) || (error instanceof Error && isUnavailable(error.cause))
      return lost ? undefined : { failed: true }
    }
  }
  const result = await pollUntil('the database answers', attempt, { timeoutMs, intervalMs: 250 }).catch(
    () => {
      const reason = connectReason(failure)
      throw new Error(`DATABASE_URL: the database did not answer within ${timeoutMs / 1_000} s: ${reason}`)
    },
  )
  if ('applied' in result) return result.applied
  throw failure instanceof StartError
    ? failure
    : new StartError(`DATABASE_URL: ${errorText(failure)}`, { cause: failure })
}

/** A name with several addresses gives an AggregateError with a code and no message of its own. */
function connectReason(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(errorText).join('; ') : errorText(error)
}
