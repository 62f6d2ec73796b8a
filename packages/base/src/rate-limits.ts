// How often what may be done: the names and defaults of the API's rate limits, and how RATE_LIMITS changes them.

export interface RateLimit {
  count: number
  windowSec: number
}

/** What each counts, and per what, is said in the control plane's routes. */
export const defaultRateLimits = {
  login: { count: 10, windowSec: 60 },
  signup: { count: 10, windowSec: 3_600 },
  creates: { count: 120, windowSec: 60 },
  requests: { count: 6_000, windowSec: 60 },
} satisfies Record<string, RateLimit>

export type RateLimitName = keyof typeof defaultRateLimits
export type RateLimits = Record<RateLimitName, RateLimit>

const unitsSec: Record<string, number> = { s: 1, m: 60, h: 3_600 }

/** "creates=600/m,login=5/m" on top of the defaults; 'off' as it is; undefined when it is neither. */
export function parseRateLimits(text: string): RateLimits | 'off' | undefined {
  if (text === 'off') return 'off'
  const limits: RateLimits = { ...defaultRateLimits }
  for (const part of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [, name = '', count, unit = ''] = /^(\w+)=([1-9]\d{0,8})\/([smh])$/.exec(part) ?? []
    if (!isName(name)) return undefined
    limits[name] = { count: Number(count), windowSec: unitsSec[unit] ?? 1 }
  }
  return limits
}

function isName(text: string): text is RateLimitName {
  return Object.hasOwn(defaultRateLimits, text)
}
