// The settings of the control plane, from the environment. All mistakes are reported at once, a line each.
import { join } from 'node:path'
import {
  apiSettings,
  limitSettings,
  logLevels,
  parseEnvironment,
  readOAuthSettings,
  teamLimits,
  type ProviderSettings,
  type RateLimits,
  type SignupPolicy,
  type TeamLimits,
} from '@wrenn/base'
import { z } from 'zod'
import { knownProviders } from './auth/oauth/registry.ts'

export interface ListenAddress {
  host: string
  port: number
}

export interface Config {
  listen: ListenAddress
  databaseUrl: string
  /** Undefined: kept in the data folder. */
  jwtSecret: string | undefined
  dataFolder: string
  agentSocket: string
  logLevel: string
  signups: SignupPolicy
  rateLimits: RateLimits | 'off'
  limits: TeamLimits
  /** Undefined: no metrics. */
  metricsListen: ListenAddress | undefined
  /** Origins whose scripts may read answers. */
  corsOrigins: string[]
  /** Addresses and CIDR ranges whose X-Forwarded-* headers count. */
  trustedProxies: string[]
  /** What the dashboard's build made. Undefined: no dashboard. */
  dashboardFolder: string | undefined
  oauth: {
    /** By name. */
    configured: Record<string, ProviderSettings>
    /** Base of this API as browsers reach it. Set when a provider is configured. */
    publicUrl: string | undefined
    /** Base of the frontend. Set when publicUrl is. */
    redirectUrl: string | undefined
  }
}

const schema = z.object({
  CP_LISTEN_ADDR: z.string().default('127.0.0.1:8080').transform(parseListenAddress),
  DATABASE_URL: z
    .string({ error: 'is not set: give a Postgres, e.g. postgres://user:password@host/database' })
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres:// or postgresql://'),
  JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  WRENN_DIR: z.string().startsWith('/', 'must be an absolute path').default('/var/lib/wrenn'),
  WRENN_AGENT_SOCKET: z.string().startsWith('/', 'must be an absolute path').optional(),
  WRENN_DASHBOARD_DIR: z.string().startsWith('/', 'must be an absolute path').optional(),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
  ...apiSettings,
  ...limitSettings,
})

/** Throws a SettingsError with a line for each mistake. */
export function parseConfig(environment: NodeJS.ProcessEnv): Config {
  const oauth = readOAuthSettings(environment, Object.keys(knownProviders))
  const parsed = parseEnvironment(schema, environment, oauth.mistakes)
  const publicUrl = parsed.CP_PUBLIC_URL
  const redirectUrl = parsed.OAUTH_REDIRECT_URL ?? publicUrl
  return {
    listen: parsed.CP_LISTEN_ADDR,
    databaseUrl: parsed.DATABASE_URL,
    jwtSecret: parsed.JWT_SECRET,
    dataFolder: parsed.WRENN_DIR,
    agentSocket: parsed.WRENN_AGENT_SOCKET ?? join(parsed.WRENN_DIR, 'run', 'agent.sock'),
    logLevel: parsed.LOG_LEVEL,
    signups: parsed.SIGNUPS,
    rateLimits: parsed.RATE_LIMITS,
    limits: teamLimits(parsed),
    metricsListen: parsed.CP_METRICS_ADDR,
    // The frontend that logins lead to, unless others are named.
    corsOrigins: parsed.CORS_ORIGINS ?? (redirectUrl === undefined ? [] : [new URL(redirectUrl).origin]),
    trustedProxies: parsed.TRUSTED_PROXIES,
    dashboardFolder: parsed.WRENN_DASHBOARD_DIR,
    oauth: { configured: oauth.configured, publicUrl, redirectUrl },
  }
}

function parseListenAddress(text: string, context: z.RefinementCtx): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host !== undefined && port <= 65_535) return { host, port }
  context.addIssue({
    code: 'custom',
    message: `must be host:port or [address]:port, e.g. 127.0.0.1:8080, not ${JSON.stringify(text)}`,
  })
  return z.NEVER
}
