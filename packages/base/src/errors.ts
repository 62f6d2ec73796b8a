// The one error type that crosses layers. A code from a closed union says what kind it is, the message is for the
// caller (what was wrong, what to do), the cause is for the log. HTTP statuses are assigned in packages/http only.

export const errorCodes = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'limit_reached',
  'not_found',
  'provider_not_found',
  'method_not_allowed',
  'unsupported_media_type',
  'upgrade_required',
  'email_taken',
  'already_exists',
  'invalid_state',
  'idempotency_conflict',
  'too_large',
  'rate_limited',
  'internal_error',
  'agent_error',
  'no_capacity',
  'unavailable',
  'disk_full',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export class AppError extends Error {
  readonly code: ErrorCode
  /** Seconds after which a retry makes sense (Retry-After). */
  readonly retryAfterSec: number | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryAfterSec?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.retryAfterSec = options.retryAfterSec
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return errorCodes.includes(value as ErrorCode)
}

/** The message of anything thrown, with those of its causes: for logs and for `cause` chains shown to operators. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`
}
