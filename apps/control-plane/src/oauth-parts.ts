// What logins through OAuth are made of, from the options of a control plane.
import type { ProviderSettings } from '@wrenn/base'
import type { ProviderCallLimits } from './auth/oauth/http.ts'
import { knownProviders, OAuthRegistry, type ProviderFactories } from './auth/oauth/registry.ts'
import { StateCookies } from './auth/oauth/state-cookie.ts'

export interface OAuthOptions {
  /** Default knownProviders. */
  known?: ProviderFactories
  /** By name; the others answer 404. Default none. */
  configured?: Readonly<Record<string, ProviderSettings>>
  /** Base of this API as browsers reach it. Default: where it listens. */
  publicUrl?: string | undefined
  /** Base of the frontend. Default publicUrl. */
  redirectUrl?: string | undefined
  /** For each call to a provider. */
  limits?: ProviderCallLimits
  /** The clock of the state cookie, in milliseconds. */
  now?: () => number
}

export interface OAuthParts {
  /** Those that the contract names, configured or not. */
  names: string[]
  providers: OAuthRegistry
  cookies: StateCookies
  publicUrl: () => string
  redirectUrl: () => string
}

/** `listenUrl`: asked when the first request is there. */
export function createOAuthParts(
  options: OAuthOptions,
  { jwtSecret, listenUrl }: { jwtSecret: string; listenUrl: () => string },
): OAuthParts {
  const { known = knownProviders, configured = {}, limits = {} } = options
  const publicUrl = (): string => options.publicUrl ?? listenUrl()
  return {
    names: Object.keys(known),
    providers: new OAuthRegistry({ known, configured, publicUrl, limits }),
    cookies: new StateCookies(jwtSecret, options.now),
    publicUrl,
    redirectUrl: () => options.redirectUrl ?? publicUrl(),
  }
}
