// An OpenID Connect provider of Google's shape: discovery, and an id_token with a nonce. It proves that a provider is one
// file and one line, and lives in the tests only.
import * as oauth from 'oauth4webapi'
import {
  codeChallengeOf,
  nonceOf,
  type ProviderFactory,
} from '../../../apps/control-plane/src/auth/oauth/provider.ts'

export const createOidc: ProviderFactory = ({ name, settings, redirectUri, fetch }) => {
  const issuer = settings.baseUrl ?? 'https://accounts.google.com'
  const client: oauth.Client = { client_id: settings.clientId }
  // Whether http is fine is decided by our fetch.
  const options = { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: true }

  let known: oauth.AuthorizationServer | undefined

  async function discover(): Promise<oauth.AuthorizationServer> {
    known ??= await oauth.processDiscoveryResponse(
      new URL(issuer),
      await oauth.discoveryRequest(new URL(issuer), options),
    )
    return known
  }

  return {
    name,
    title: 'OpenID',
    issuer,
    authorizationUrl: async (state, codeChallenge) => {
      const url = new URL((await discover()).authorization_endpoint ?? '')
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: settings.clientId,
        redirect_uri: redirectUri,
        scope: 'openid email',
        state,
        nonce: nonceOf(codeChallenge),
        code_challenge: codeChallenge,
        code_challenge_method: 'S256',
      }).toString()
      return url
    },
    exchange: async (code, codeVerifier) => {
      const server = await discover()
      const answer = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.ClientSecretPost(settings.clientSecret),
        // State and issuer were checked by the caller.
        oauth.validateAuthResponse(
          { ...server, authorization_response_iss_parameter_supported: false },
          client,
          new URLSearchParams({ code }),
          oauth.skipStateCheck,
        ),
        redirectUri,
        codeVerifier,
        options,
      )
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, {
        expectedNonce: nonceOf(codeChallengeOf(codeVerifier)),
        requireIdToken: true,
      })
      await oauth.validateApplicationLevelSignature(server, answer, options)
      const claims = oauth.getValidatedIdTokenClaims(tokens)
      const email = claims?.['email']
      if (!claims || typeof email !== 'string' || claims['email_verified'] !== true)
        throw new Error('the account has no verified e-mail address')
      return { id: claims.sub, email }
    },
  }
}
