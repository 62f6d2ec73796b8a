// What Postgres and its driver throw, told apart: the database is not there (the caller may try again), or it refused.
import { AppError, isErrno } from '@wrenn/base'
import { DatabaseError } from 'pg'

// SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html: 08 connection exceptions, 53 out of
// resources, 57P operator intervention (shutdown, crash, starting up), 57014 a statement's time limit.
const unavailableStates = /^(08|53|57P|57014)/
// The driver's own errors have no code.
const driverMessages =
  /^(Connection terminated|timeout expired|timeout exceeded when trying|Query read timeout|Client has|Client was)/

/** A lost database as `unavailable`; anything else comes back as it is. */
export function translateDatabaseError(error: unknown): unknown {
  if (!isUnavailable(error)) return error
  return new AppError('unavailable', 'The database is not available; try again', {
    cause: error,
    retryAfterSec: 2,
  })
}

export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseError) return unavailableStates.test(error.code ?? '')
  if (isErrno(error, 'ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'))
    return true
  return error instanceof Error && driverMessages.test(error.message)
}

/** The name of the violated unique or foreign key constraint; undefined when it is another error. */
export function violatedConstraint(error: unknown): string | undefined {
  const codes = ['23505', '23503']
  return error instanceof DatabaseError && codes.includes(error.code ?? '') ? error.constraint : undefined
}
