// The launcher's settings: from the environment and from `.env` in the checkout, where the real environment wins. All
// mistakes are reported at once, before anything is built or started. Host-agent and control-plane get the same
// variables and check their own.
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import {
  apiSettings,
  capacitySettings,
  integerSetting,
  limitSettings,
  listenSetting,
  logLevels,
  parseEnvironment,
  readFileIfThere,
  readOAuthSettings,
  resolversSetting,
  SettingsError,
} from '@wrenn/base'
import { z } from 'zod'

export const repository = join(import.meta.dirname, '..', '..', '..')

/**
 * A unix socket's path holds 107 bytes (unix(7)), and the longest of ours, a VM's, takes up to 47 below WRENN_DIR.
 */
const MAX_FOLDER_BYTES = 60

export interface ListenAddress {
  host: string
  port: number
}

const onStop = ['pause', 'keep', 'destroy'] as const
export type OnStop = (typeof onStop)[number]

export interface Settings {
  listen: ListenAddress
  /** WRENN_DIR as it was given; `prepareFolders` finds its real path. */
  folder: string
  cacheDir: string
  databaseUrl: string | undefined
  /** What becomes of running sandboxes when the operator stops the platform. */
  onStop: OnStop
  /** What child processes get: the operator's variables without npm's own. */
  environment: NodeJS.ProcessEnv
}

const schema = z.object({
  CP_LISTEN_ADDR: z.string().default('127.0.0.1:8080').transform(parseListenAddress),
  WRENN_DIR: absoluteFolder().default('/var/lib/wrenn'),
  WRENN_CACHE_DIR: absoluteFolder().default('/var/cache/wrenn'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a URL that begins with postgresql://' })
    .optional(),
  JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
  ...apiSettings,
  ...limitSettings,
  ...capacitySettings,
  WRENN_AGENT_METRICS_ADDR: listenSetting.optional(),
  WRENN_DISK_MB: integerSetting(256, 1_048_576).optional(),
  WRENN_DNS: resolversSetting.optional(),
  WRENN_ON_STOP: z
    .enum(onStop, {
      error: 'must be pause (the next start resumes what ran), keep (sandboxes run on) or destroy',
    })
    .default('pause'),
  WRENN_DEBIAN_MIRROR: z.url({ protocol: /^https?$/, error: 'must be an http(s):// URL' }).optional(),
  WRENN_DEBIAN_SUITE: z
    .string()
    .regex(/^[a-z][a-z-]*$/, 'must be a Debian suite, e.g. bookworm')
    .optional(),
})

/** Throws a SettingsError with a line for each mistake. */
export function parseSettings(environment: NodeJS.ProcessEnv): Settings {
  const parsed = parseEnvironment(schema, environment, readOAuthSettings(environment).mistakes)
  return {
    listen: parsed.CP_LISTEN_ADDR,
    folder: parsed.WRENN_DIR,
    cacheDir: parsed.WRENN_CACHE_DIR,
    databaseUrl: parsed.DATABASE_URL,
    onStop: parsed.WRENN_ON_STOP,
    environment: Object.fromEntries(
      Object.entries(environment).filter(([name]) => !/^(npm_|WRENN_BOOTSTRAP_)/i.test(name)),
    ),
  }
}

/** The environment, completed by the `.env` file when there is one. */
export async function readEnvironment(
  file = join(repository, '.env'),
  environment = process.env,
): Promise<NodeJS.ProcessEnv> {
  const text = await readFileIfThere(file)
  return { ...(text === undefined ? {} : parseEnv(text)), ...environment }
}

/** Throws a SettingsError when sockets below this folder would not fit. `folder`: a real path. */
export function assertShortEnough(folder: string): void {
  const length = Buffer.byteLength(folder)
  if (length <= MAX_FOLDER_BYTES) return
  throw new SettingsError([
    `WRENN_DIR: must have at most ${MAX_FOLDER_BYTES} bytes, since unix sockets lie below it; ` +
      `${folder} has ${length}`,
  ])
}

/** Where this machine reaches what listens there. */
export function localUrl({ host, port }: ListenAddress): string {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

function parseListenAddress(text: string, context: z.RefinementCtx): ListenAddress {
  const match = /^(?:\[([\da-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port }
  context.addIssue({
    code: 'custom',
    message: `must be ADDRESS:PORT, e.g. 127.0.0.1:8080, not ${JSON.stringify(text)}`,
  })
  return z.NEVER
}

function absoluteFolder(): z.ZodString {
  return z.string().regex(/^\/[^\n]+$/, 'must be an absolute path')
}
