// What a test of logins asks of an OAuth provider, so that one suite runs against each of them.
import type { ProviderSettings } from '@wrenn/base'
import type { ProviderFactory } from '../../../apps/control-plane/src/auth/oauth/provider.ts'

/** What every provider in the tests has registered. */
export const oauthApp = {
  clientId: 'wrenn-tests',
  clientSecret: 'a client secret that nobody may see',
}

/** Somebody with an account at the provider. */
export interface Person {
  login: string
  email: string
}

export interface IdentityProvider {
  /** In our paths. */
  name: string
  factory: ProviderFactory
  settings: ProviderSettings
  /** Its `iss`. */
  issuer: string
  /** Somebody who was never here before. */
  person(): Person
  /** What the person's consent on the provider's page leads to: the callback's URL, with the provider's answer. */
  consent(page: URL, person: Person): Promise<URL>
  remove(): Promise<void>
}

export type StartProvider<Provider extends IdentityProvider = IdentityProvider> = () => Promise<Provider>

export const apiOrigin = 'https://api.example.com'

/** What a provider called `name` has registered. */
export function redirectUriOf(name: string, origin = apiOrigin): string {
  return `${origin}/v1/auth/oauth/${name}/callback`
}

/** Each provider is also there under this name, as if it were another one. */
export function twinOf(name: string): string {
  return `${name}twin`
}

/** RFC 6749, section 4.1.2.1: what the browser brings back when the person says no. */
export function refusalOf(page: URL): URL {
  const back = new URL(page.searchParams.get('redirect_uri') ?? '')
  back.searchParams.set('error', 'access_denied')
  back.searchParams.set('error_description', 'The user has denied your application access.')
  back.searchParams.set('state', page.searchParams.get('state') ?? '')
  return back
}
