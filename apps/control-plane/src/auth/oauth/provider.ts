// What an OAuth provider is. One file under providers/ exports a ProviderFactory, and one line in registry.ts registers
// it; docs/adding-a-provider.md is the checklist.
import { createHash } from 'node:crypto'
import type { ProviderSettings } from '@wrenn/base'
import type { ProviderFetch } from './http.ts'

/** Who logged in, as the provider vouches for it. */
export interface OAuthProfile {
  /** The provider's own id of the account, which never changes and is never given to another. Not a name or e-mail. */
  id: string
  /** An address that the provider has verified to be the account's. */
  email: string
}

export interface OAuthProvider {
  name: string
  /** For people: "Continue with …". */
  title: string
  /** What RFC 9207 calls it: an `iss` in the callback must be this. */
  issuer: string
  /** Where the browser is sent. May ask the provider first (discovery). `codeChallenge`: S256 (RFC 7636). */
  authorizationUrl(state: string, codeChallenge: string): URL | Promise<URL>
  /** Throws whatever went wrong, with no secret in the message. `codeVerifier`: of the challenge that was sent. */
  exchange(code: string, codeVerifier: string): Promise<OAuthProfile>
}

export interface ProviderContext {
  /** As registered. */
  name: string
  /** The provider's OAUTH_{NAME}_* variables. */
  settings: ProviderSettings
  /** Registered at the provider: {CP_PUBLIC_URL}/v1/auth/oauth/{name}/callback. */
  redirectUri: string
  /** The only way to call the provider. */
  fetch: ProviderFetch
}

export type ProviderFactory = (context: ProviderContext) => OAuthProvider

/** RFC 7636, section 4.2. */
export function codeChallengeOf(codeVerifier: string): string {
  return createHash('sha256').update(codeVerifier).digest('base64url')
}

/**
 * The nonce of an OpenID Connect provider (OpenID Connect Core 1.0, section 15.5.2): known to `authorizationUrl` from the
 * challenge, to `exchange` from the verifier, and different in every attempt.
 */
export function nonceOf(codeChallenge: string): string {
  return createHash('sha256').update(`nonce ${codeChallenge}`).digest('base64url')
}
