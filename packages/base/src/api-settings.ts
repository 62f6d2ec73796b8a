// Settings of the public API that launcher and control plane both read: the launcher checks them before it builds
// anything, the control plane acts on them.
import { z } from 'zod'

/** Who may get an account. `domains`: those with an e-mail of one of them. */
export type SignupPolicy = 'open' | 'closed' | { domains: readonly string[] }

const domain = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/

/** Spread into a schema for parseEnvironment. */
export const apiSettings = {
  SIGNUPS: z.string().default('open').transform(parseSignups),
}

function parseSignups(text: string, context: z.RefinementCtx): SignupPolicy {
  if (text === 'open' || text === 'closed') return text
  const domains = listOf(text.toLowerCase())
  if (domains.length > 0 && domains.every((name) => domain.test(name))) return { domains }
  const message = `must be open, closed, or e-mail domains separated by commas, not ${JSON.stringify(text)}`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '')
}
