// The providers that the login suites run against.
import { startEmulatedGitHub } from './emulated-github.ts'
import { FakeGitHub } from './fake-github.ts'
import type { StartProvider } from './identity-provider.ts'
import { startOidc } from './oidc.ts'

export const identityProviders: Record<string, StartProvider> = {
  "emulate's GitHub": startEmulatedGitHub,
  'a strict GitHub': () => FakeGitHub.start(),
  'OpenID Connect': startOidc,
}
