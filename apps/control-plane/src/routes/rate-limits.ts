// Rate limits as callers see them: the fields RateLimit-Policy and RateLimit on every answer that is counted
// (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4), and 429 with Retry-After once a limit is reached.
import { AppError, type RateLimitName } from '@wrenn/base'
import { isIPv6 } from 'node:net'
import type { RateLimiter, Standing } from '../services/rate-limiter.ts'

type AppendHeader = (name: string, value: string) => void

/** Counts one use; throws `rate_limited`. `limiter` is undefined when RATE_LIMITS is off. */
export async function countUse(
  limiter: RateLimiter | undefined,
  use: { name: RateLimitName; who: string },
  appendHeader: AppendHeader,
): Promise<void> {
  const standing = await limiter?.use(use.name, use.who)
  if (!standing) return
  const { name, count, windowSec, left, resetSec, allowed } = standing
  appendHeader('ratelimit-policy', `"${name}";q=${count};w=${windowSec}`)
  appendHeader('ratelimit', `"${name}";r=${left};t=${resetSec}`)
  if (!allowed) throw refusal(standing)
}

/** Who an address counts as: an IPv6 client has a whole /64 (RFC 6177, section 2), so that counts as one. */
export function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  return isIPv6(address) ? `${expandIPv6(address).slice(0, 4).join(':')}::/64` : address
}

/** Eight groups without leading zeros. */
function expandIPv6(address: string): string[] {
  const [head = '', tail] = address.replace(/%.*/, '').split('::')
  const before = head.split(':').filter((group) => group !== '')
  const after = (tail ?? '').split(':').filter((group) => group !== '')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  return [...before, ...zeros, ...after].map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
}

function refusal({ name, count, windowSec, resetSec }: Standing): AppError {
  const message = `Too many ${what[name]}: at most ${count} in ${windowSec} s; try again in ${resetSec} s`
  return new AppError('rate_limited', message, { retryAfterSec: resetSec })
}

const what: Record<RateLimitName, string> = {
  login: 'logins',
  signup: 'signups',
  creates: 'new sandboxes',
  requests: 'requests',
}
