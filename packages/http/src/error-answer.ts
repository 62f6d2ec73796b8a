// What is answered to anything thrown: AppErrors say themselves, errors of Fastify are translated, everything else is a
// 500 that hides its details and carries the request id.
import { AppError } from '@wrenn/base'
import { errorBody, statusByCode, type ErrorBody } from './status.ts'

export interface ErrorAnswer {
  status: number
  headers: Record<string, string>
  body: ErrorBody
}

/** Seconds in Retry-After when the error names none. */
const defaultRetryAfterSec = 1

export function errorAnswer(error: AppError, requestId: string): ErrorAnswer {
  const status = statusByCode[error.code]
  const headers: Record<string, string> = {}
  if (status === 503 || status === 429)
    headers['retry-after'] = String(error.retryAfterSec ?? defaultRetryAfterSec)
  // RFC 9110, section 15.5.22: a 426 names the protocol.
  if (status === 426) headers['upgrade'] = 'websocket'
  // RFC 9110, section 11.6.1: a 401 names a scheme.
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  const message = status === 500 ? `Something went wrong on our side; request id ${requestId}` : error.message
  return { status, headers, body: errorBody(error.code, message) }
}

/**
 * Errors that Fastify makes before a handler runs, as AppErrors; anything unknown becomes `internal_error`.
 * `contentTypes`: those that the operation takes, where it is known.
 */
export function toAppError(error: unknown, contentTypes?: readonly string[]): AppError {
  if (error instanceof AppError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'FST_ERR_BAD_URL':
      return new AppError('invalid_request', 'The URL is not valid: check its percent-encoding', {
        cause: error,
      })
    case 'FST_ERR_NOT_FOUND':
      return new AppError('not_found', 'There is no such path')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedMediaType(contentTypes)
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new AppError('invalid_request', 'The body is not as long as Content-Length says', {
        cause: error,
      })
    default:
      return new AppError('internal_error', 'internal error', { cause: error })
  }
}

export function unsupportedMediaType(types: readonly string[] = ['application/json']): AppError {
  return new AppError('unsupported_media_type', `Send the body with Content-Type: ${types.join(' or ')}`)
}
