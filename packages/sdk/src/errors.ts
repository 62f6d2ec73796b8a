// The one error that this package throws. Beside it only what the caller gave comes out: the reason of their
// AbortSignal, and what their own stream or callback threw.

/** Codes of the platform's answers, and of what it says on a stream. */
export const serverErrorCodes = [
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

/**
 * Codes of what goes wrong on this side:
 * `timeout`: `timeoutMs` is over. `network_error`: nothing answered, or the connection broke. `unexpected_answer`: what
 * answered is not Wrenn. `slow_reader`: a stream's output was not read in time. `unsupported`: this JavaScript cannot.
 */
export type ClientErrorCode =
  | 'timeout'
  | 'network_error'
  | 'unexpected_answer'
  | 'slow_reader'
  | 'unsupported'

/** A newer server may have more of them. */
export type WrennErrorCode =
  | (typeof serverErrorCodes)[number]
  | ClientErrorCode
  | (string & Record<never, never>)

export interface WrennErrorDetails {
  status?: number | undefined
  requestId?: string | undefined
  retryAfterSec?: number | undefined
  cause?: unknown
}

export class WrennError extends Error {
  override readonly name = 'WrennError'
  readonly code: WrennErrorCode
  /** Of the HTTP answer; undefined when there was none. */
  readonly status: number | undefined
  /** What the operator finds this request by in the logs. */
  readonly requestId: string | undefined
  /** After how many seconds the server says that a retry makes sense. */
  readonly retryAfterSec: number | undefined

  constructor(code: WrennErrorCode, message: string, details: WrennErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.status = details.status
    this.requestId = details.requestId
    this.retryAfterSec = details.retryAfterSec
  }
}

/** The error that an answer stands for: the Error shape of the contract, or what a proxy on the way says. */
export async function errorOf(response: Response): Promise<WrennError> {
  const details = {
    status: response.status,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterSec: retryAfterSec(response.headers.get('retry-after')),
  }
  const body = parse(await response.text())
  const { code, message } = body?.error ?? {}
  if (typeof code === 'string' && typeof message === 'string') return new WrennError(code, message, details)
  const text = `status ${response.status} without Wrenn's error shape: is this the address of the platform?`
  return new WrennError('unexpected_answer', text, details)
}

/** RFC 9110, section 10.2.3: seconds or a date. Undefined when it is neither. */
function retryAfterSec(header: string | null): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1_000))
}

/** Undefined when it is not a JSON object. */
function parse(text: string): { error?: { code?: unknown; message?: unknown } } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
