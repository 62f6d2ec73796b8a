// The OAuth providers there are. This decides which {provider} exists: in the routes, in the served contract, in the
// variables that are understood.
import { AppError, type ProviderSettings } from '@wrenn/base'
import { createProviderFetch, type ProviderCallLimits } from './http.ts'
import type { OAuthProvider, ProviderFactory } from './provider.ts'
import { createGitHub } from './providers/github.ts'

export type ProviderFactories = Readonly<Record<string, ProviderFactory>>

/** A provider is registered by its line here. Its name is lower-case letters and digits: OAUTH_{NAME}_CLIENT_ID. */
export const knownProviders: ProviderFactories = {
  github: createGitHub,
}

export interface RegistryOptions {
  known: ProviderFactories
  /** By name. */
  configured: Readonly<Record<string, ProviderSettings>>
  /** Base of this API as browsers reach it; asked when a provider is first used. */
  publicUrl: () => string
  limits: ProviderCallLimits
}

export class OAuthRegistry {
  readonly #options: RegistryOptions
  readonly #made = new Map<string, OAuthProvider>()

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  /** Throws `provider_not_found` for one that is unknown or not configured. */
  provider(name: string): OAuthProvider {
    const made = this.#made.get(name) ?? this.#make(name)
    this.#made.set(name, made)
    return made
  }

  /** Those that may be used, in the order of their lines. */
  list(): OAuthProvider[] {
    const { known, configured } = this.#options
    return Object.keys(known)
      .filter((name) => Object.hasOwn(configured, name))
      .map((name) => this.provider(name))
  }

  #make(name: string): OAuthProvider {
    const { known, configured, publicUrl, limits } = this.#options
    const create = Object.hasOwn(known, name) ? known[name] : undefined
    const settings = Object.hasOwn(configured, name) ? configured[name] : undefined
    if (!create || !settings)
      throw new AppError(
        'provider_not_found',
        'There is no such OAuth provider here, or it is not configured',
      )
    const redirectUri = `${publicUrl()}/v1/auth/oauth/${name}/callback`
    return create({ name, settings, redirectUri, fetch: createProviderFetch(limits) })
  }
}
