// The cookies that an operation names as parameters (RFC 6265, section 5.4).
import type { Operation } from '@wrenn/contract'

/**
 * By name, as they were sent. One that is sent twice, because another host of the domain has set it too, is joined as Node
 * joins headers: `a, b`. Which of the two is ours cannot be told.
 */
export function cookieParameters(
  { parameters }: Operation,
  header: string | undefined,
): Record<string, string> {
  const names = parameters.filter(({ in: place }) => place === 'cookie').map(({ name }) => name)
  if (names.length === 0 || header === undefined) return {}
  const found: Record<string, string> = {}
  for (const pair of header.split(';')) {
    const [, name = '', value = ''] = /^\s*([^=\s]+)\s*=(.*)$/.exec(pair) ?? []
    if (!names.includes(name)) continue
    found[name] = found[name] === undefined ? value.trim() : `${found[name]}, ${value.trim()}`
  }
  return found
}
