// OAuth providers as configured: OAUTH_{NAME}_CLIENT_ID and OAUTH_{NAME}_CLIENT_SECRET, with OAUTH_{NAME}_BASE_URL and
// OAUTH_{NAME}_API_URL where the provider is not the public one. The launcher checks them before it builds anything; the
// control plane acts on them, and knows which names mean something.
import { isWebUrl, plainWebUrl, webUrlHint } from './web-url.ts'

export interface ProviderSettings {
  clientId: string
  clientSecret: string
  /** Without a slash at the end. */
  baseUrl?: string
  /** Without a slash at the end. */
  apiUrl?: string
}

export interface OAuthSettings {
  /** By name, in lower case. */
  configured: Record<string, ProviderSettings>
  /** A line for each. */
  mistakes: string[]
}

type Part = 'CLIENT_ID' | 'CLIENT_SECRET' | 'BASE_URL' | 'API_URL'
type Parts = Partial<Record<Part, string>>

/** `known`: names of the providers that there are; any name will do when left out. An empty value counts as unset. */
export function readOAuthSettings(environment: NodeJS.ProcessEnv, known?: readonly string[]): OAuthSettings {
  const settings: OAuthSettings = { configured: {}, mistakes: [] }
  const given = partsByName(environment)
  for (const [name, parts] of given) {
    const mistakes = mistakesOf(name, parts, known)
    settings.mistakes.push(...mistakes)
    if (mistakes.length === 0) settings.configured[name] = settingsOf(parts)
  }
  const isWanted = [...given.values()].some((parts) => parts.CLIENT_ID && parts.CLIENT_SECRET)
  if (isWanted && !environment['CP_PUBLIC_URL'])
    settings.mistakes.push(
      'CP_PUBLIC_URL: is not set, and OAuth needs it: give the URL at which browsers reach this API',
    )
  return settings
}

function partsByName(environment: NodeJS.ProcessEnv): Map<string, Parts> {
  const found = new Map<string, Parts>()
  for (const [variable, value] of Object.entries(environment)) {
    const [, name, part] =
      /^OAUTH_([A-Z][A-Z0-9]*)_(CLIENT_ID|CLIENT_SECRET|BASE_URL|API_URL)$/.exec(variable) ?? []
    if (name === undefined || !value) continue
    const parts = found.get(name.toLowerCase()) ?? {}
    parts[part as Part] = value
    found.set(name.toLowerCase(), parts)
  }
  return found
}

function mistakesOf(name: string, parts: Parts, known: readonly string[] | undefined): string[] {
  const variable = (part: string): string => `OAUTH_${name.toUpperCase()}_${part}`
  const [first = ''] = Object.keys(parts)
  if (known && !known.includes(name))
    return [`${variable(first)}: there is no OAuth provider "${name}"; there is ${known.join(', ')}`]
  const missing = (['CLIENT_ID', 'CLIENT_SECRET'] as const).filter((part) => parts[part] === undefined)
  const wrong = (['BASE_URL', 'API_URL'] as const).filter((part) => !isWebUrl(parts[part] ?? 'https://none'))
  return [
    ...missing.map(
      (part) => `${variable(part)}: is not set although ${variable(first)} is: set both, or neither`,
    ),
    ...wrong.map((part) => `${variable(part)}: ${webUrlHint}, not ${JSON.stringify(parts[part])}`),
  ]
}

function settingsOf({ CLIENT_ID, CLIENT_SECRET, BASE_URL, API_URL }: Parts): ProviderSettings {
  return {
    clientId: CLIENT_ID ?? '',
    clientSecret: CLIENT_SECRET ?? '',
    ...(BASE_URL === undefined ? {} : { baseUrl: plainWebUrl(BASE_URL) }),
    ...(API_URL === undefined ? {} : { apiUrl: plainWebUrl(API_URL) }),
  }
}
