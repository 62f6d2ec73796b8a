// What to say about anything that was thrown.
import { WrennError } from '@wrenn/sdk'

export interface ErrorDescription {
  message: string
  /** For the operator's logs. */
  requestId?: string | undefined
}

export function describeError(error: unknown): ErrorDescription {
  if (error instanceof WrennError) return { message: sentenceOf(error), requestId: error.requestId }
  return { message: error instanceof Error ? error.message : String(error) }
}

/** The server's own words, which are for the caller; ours where it said nothing. */
function sentenceOf({ code, message, retryAfterSec }: WrennError): string {
  if (code === 'rate_limited' && retryAfterSec !== undefined)
    return `Too many requests. Try again in ${retryAfterSec} s.`
  return ownWords[code] ?? message
}

const ownWords: Readonly<Record<string, string>> = {
  network_error: 'The platform does not answer. It may be restarting: try again in a moment.',
  timeout: 'The platform took too long to answer. Try again; what was asked for may still happen.',
  unexpected_answer: 'What answered was not the platform: a proxy in between may be misconfigured.',
}

/** A field, what of it (`args[0]`, `metadata.env`, `metadata."a key: of the caller"`), and what is wrong. */
const fieldPattern = /^([a-z_]+)(?:[\w.[\]-]|"(?:[^"\\]|\\.)*")*: (.+)$/s

/** Of an `invalid_request`: the field it names first ("email: must be…"), and the rest. */
export function fieldError(error: unknown): { field: string; message: string } | undefined {
  if (!(error instanceof WrennError) || error.code !== 'invalid_request') return undefined
  const [, field, message] = fieldPattern.exec(error.message) ?? []
  return field === undefined || message === undefined ? undefined : { field, message: capitalised(message) }
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
