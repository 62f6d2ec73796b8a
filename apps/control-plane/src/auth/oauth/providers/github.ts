// GitHub and GitHub Enterprise: an OAuth app's authorization code flow with PKCE, and the account's primary verified
// e-mail address. https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
import * as oauth from 'oauth4webapi'
import { z } from 'zod'
import type { OAuthProfile, OAuthProvider, ProviderContext } from '../provider.ts'

const publicBase = 'https://github.com'
const publicApi = 'https://api.github.com'

const userAnswer = z.object({ id: z.int().positive() })
const emailsAnswer = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }))

export function createGitHub({ name, settings, redirectUri, fetch }: ProviderContext): OAuthProvider {
  const baseUrl = settings.baseUrl ?? publicBase
  // GitHub Enterprise Server has its API under the same host.
  const apiUrl = settings.apiUrl ?? (baseUrl === publicBase ? publicApi : `${baseUrl}/api/v3`)
  const issuer = `${baseUrl}/login/oauth`
  const client: oauth.Client = { client_id: settings.clientId }
  const server: oauth.AuthorizationServer = { issuer, token_endpoint: `${issuer}/access_token` }
  // Whether http is fine is decided by our fetch.
  const options = { [oauth.allowInsecureRequests]: true }

  async function accessTokenOf(code: string, codeVerifier: string): Promise<string> {
    const parameters = new URLSearchParams({ code })
    const answer = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.ClientSecretPost(settings.clientSecret),
      // State and issuer were checked by the caller.
      oauth.validateAuthResponse(server, client, parameters, oauth.skipStateCheck),
      redirectUri,
      codeVerifier,
      { ...options, [oauth.customFetch]: async (url, init) => asRfc6749(await fetch(url, init)) },
    )
    return (await oauth.processAuthorizationCodeResponse(server, client, answer)).access_token
  }

  async function get<T>(path: string, accessToken: string, schema: z.ZodType<T>): Promise<T> {
    const headers = new Headers({
      accept: 'application/vnd.github+json',
      'user-agent': 'wrenn',
      'x-github-api-version': '2022-11-28',
    })
    const url = new URL(apiUrl + path)
    const answer = await oauth.protectedResourceRequest(accessToken, 'GET', url, headers, null, {
      ...options,
      [oauth.customFetch]: fetch,
    })
    if (answer.status !== 200) throw new Error(`GET ${path} was answered with status ${answer.status}`)
    const parsed = schema.safeParse(await answer.json())
    if (!parsed.success) throw new Error(`GET ${path} was answered with something else than expected`)
    return parsed.data
  }

  return {
    name,
    title: 'GitHub',
    issuer,
    authorizationUrl: (state, codeChallenge) => {
      const url = new URL(`${issuer}/authorize`)
      url.search = new URLSearchParams({
        client_id: settings.clientId,
        redirect_uri: redirectUri,
        scope: 'read:user user:email',
        state,
        code_challenge: codeChallenge,
        code_challenge_method: 'S256',
      }).toString()
      return url
    },
    exchange: async (code, codeVerifier): Promise<OAuthProfile> => {
      const accessToken = await accessTokenOf(code, codeVerifier)
      const { id } = await get('/user', accessToken, userAnswer)
      // The address in /user is whatever the user shows; it need be neither verified nor theirs.
      const emails = await get('/user/emails?per_page=100', accessToken, emailsAnswer)
      const email = emails.find(({ primary, verified }) => primary && verified)?.email
      if (email === undefined) throw new Error('the account has no primary verified e-mail address')
      return { id: String(id), email }
    },
  }
}

/** GitHub refuses a code with status 200 and an `error`; RFC 6749, section 5.2 gives refusals status 400. */
async function asRfc6749(answer: Response): Promise<Response> {
  if (answer.status !== 200) return answer
  const text = await answer.text()
  const refused = z.object({ error: z.string() }).safeParse(parseJson(text)).success
  return new Response(text, { status: refused ? 400 : 200, headers: answer.headers })
}

/** Undefined when it is none: oauth4webapi says so. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
