// Settings of the public API that launcher and control plane both read: the launcher checks them before it builds
// anything, the control plane acts on them.
import { isIP } from 'node:net'
import { z } from 'zod'
import { listenSetting } from './environment.ts'
import { defaultRateLimits, parseRateLimits, type RateLimits } from './rate-limits.ts'
import { webUrlSetting } from './web-url.ts'

/** Who may get an account. `domains`: those with an e-mail of one of them. */
export type SignupPolicy = 'open' | 'closed' | { domains: readonly string[] }

const domain = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/

/** Spread into a schema for parseEnvironment. */
export const apiSettings = {
  SIGNUPS: z.string().default('open').transform(parseSignups),
  RATE_LIMITS: z.string().default('').transform(rateLimitsOf),
  CP_METRICS_ADDR: listenSetting.optional(),
  CORS_ORIGINS: z
    .string()
    .transform(listOf)
    .refine((origins) => origins.every(isOrigin), {
      error: 'must be origins such as https://app.example.com, separated by commas; there is no wildcard',
    })
    .optional(),
  CP_PUBLIC_URL: webUrlSetting.optional(),
  OAUTH_REDIRECT_URL: webUrlSetting.optional(),
  TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform(listOf)
    .refine((ranges) => ranges.every(isRange), {
      error: 'must be IP addresses or CIDR ranges such as 10.0.0.0/8, separated by commas',
    }),
}

function parseSignups(text: string, context: z.RefinementCtx): SignupPolicy {
  if (text === 'open' || text === 'closed') return text
  const domains = listOf(text.toLowerCase())
  if (domains.length > 0 && domains.every((name) => domain.test(name))) return { domains }
  const message = `must be open, closed, or e-mail domains separated by commas, not ${JSON.stringify(text)}`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

function rateLimitsOf(text: string, context: z.RefinementCtx): RateLimits | 'off' {
  const limits = parseRateLimits(text)
  if (limits !== undefined) return limits
  const names = Object.keys(defaultRateLimits).join(', ')
  const message = `must be off, or limits such as creates=600/m,login=5/m (${names}; /s, /m or /h), not ${JSON.stringify(text)}`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

function isOrigin(text: string): boolean {
  return /^https?:[^*]*$/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

function isRange(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  return isIP(address) !== 0 && Number(bits ?? 0) <= (isIP(address) === 4 ? 32 : 128)
}

function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '')
}
