// What a provider did wrong, for the log. Codes, tokens and secrets travel in what it is sent and what it answers, so
// nothing is quoted that may come from there.
import { isErrno } from '@wrenn/base'

/** The messages of an error and its causes, as far as they are known to quote nothing. */
export function providerErrorText(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is no error'
  const own = 'error' in error ? `${messageOf(error)} (${errorCodeText(error.error)})` : messageOf(error)
  return error.cause instanceof Error ? `${own}: ${providerErrorText(error.cause)}` : own
}

/** Those of the language itself quote what they could not parse or set as a header: an answer, or a token. */
function messageOf(error: Error): string {
  const quotes = error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError
  return quotes && !isErrno(error) ? error.name : error.message
}

/** An `error` of RFC 6749, section 4.1.2.1 or 5.2. */
export function errorCodeText(code: unknown): string {
  return typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? code : 'no error code'
}
