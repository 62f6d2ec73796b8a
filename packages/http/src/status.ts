// The one table from error code to HTTP status. Layers under HTTP know codes only.
import type { ErrorCode } from '@wrenn/base'

export const statusByCode = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  limit_reached: 403,
  not_found: 404,
  provider_not_found: 404,
  method_not_allowed: 405,
  unsupported_media_type: 415,
  upgrade_required: 426,
  email_taken: 409,
  already_exists: 409,
  invalid_state: 409,
  idempotency_conflict: 409,
  too_large: 413,
  rate_limited: 429,
  internal_error: 500,
  agent_error: 502,
  no_capacity: 503,
  unavailable: 503,
  disk_full: 507,
} as const satisfies Record<ErrorCode, number>

/** The Error shape of every contract of ours. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string }
}

export function errorBody(code: ErrorCode, message: string): ErrorBody {
  return { error: { code, message } }
}
