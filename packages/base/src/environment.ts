// Settings from the environment, validated at start: one clear line for each mistake, and all of them at once.
import { isIPv4 } from 'node:net'
import { z } from 'zod'

export class SettingsError extends Error {
  readonly lines: string[]

  constructor(lines: string[]) {
    super(lines.join('\n'))
    this.name = 'SettingsError'
    this.lines = lines
  }
}

/**
 * Parses the variables that `schema` names; an empty value counts as unset. `mistakes`: lines about others. Throws a
 * SettingsError.
 */
export function parseEnvironment<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  environment: NodeJS.ProcessEnv,
  mistakes: readonly string[] = [],
): z.output<z.ZodObject<Shape>> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = schema.safeParse(present)
  if (parsed.success && mistakes.length === 0) return parsed.data
  const issues = parsed.error?.issues ?? []
  throw new SettingsError([
    ...issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ...mistakes,
  ])
}

/** host:port or [address]:port; the port may be 0. */
export const listenSetting = z.string().transform((text, context) => {
  const match = /^(?:\[([\da-f:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/i.exec(text)
  const [host, port] = [match?.[1] ?? match?.[2], Number(match?.[3])]
  if (host !== undefined && port <= 65_535) return { host, port }
  context.addIssue({
    code: 'custom',
    message: `must be host:port, e.g. 127.0.0.1:9091, not ${JSON.stringify(text)}`,
  })
  return z.NEVER
})

/** A whole number in a variable. */
export function integerSetting(
  min: number,
  max: number,
): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> {
  return z
    .string()
    .refine((text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: (issue) => `must be a whole number from ${min} to ${max}, not ${JSON.stringify(issue.input)}`,
    })
    .transform(Number)
}

/** DNS servers that guests' queries are passed on to: they must be addresses that the host can send packets to. */
export const resolversSetting = z
  .string()
  .transform((text) => text.trim().split(/[\s,]+/))
  .refine((list) => list.every((address) => isIPv4(address) && !address.startsWith('127.')), {
    error: 'must be IPv4 addresses of resolvers, separated by commas, and none of 127.0.0.0/8',
  })
