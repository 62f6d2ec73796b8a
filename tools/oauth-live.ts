// `npm run oauth:live [-- PROVIDER]`: one login at the real provider, with the control plane's own settings and provider
// code, to see whether both sides fit. Listens where the control plane would, which must not run meanwhile; changes
// nothing, and shows no code and no token whole. Exits with 0 when the provider vouched for an account. docs/oauth.md.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorText, isErrno, SettingsError, withDeadline } from '@wrenn/base'
import { createProviderFetch, type ProviderFetch } from '../apps/control-plane/src/auth/oauth/http.ts'
import { codeChallengeOf, type OAuthProvider } from '../apps/control-plane/src/auth/oauth/provider.ts'
import { knownProviders } from '../apps/control-plane/src/auth/oauth/registry.ts'
import { StateCookies, stateLifetimeSec } from '../apps/control-plane/src/auth/oauth/state-cookie.ts'
import { parseConfig, type Config } from '../apps/control-plane/src/config.ts'
import { errorCodeText, providerErrorText } from '../apps/control-plane/src/services/oauth/error-text.ts'
import { readEnvironment } from '../apps/launcher/src/settings.ts'

/** A whole sentence. */
class LiveError extends Error {}

try {
  const [name = 'github', ...rest] = process.argv.slice(2)
  if (rest.length > 0) throw new LiveError('usage: npm run oauth:live [-- PROVIDER]')
  await check(name, await settings())
} catch (error) {
  const known = error instanceof LiveError || error instanceof SettingsError
  console.error(known ? error.message : `It failed: ${errorText(error)}`)
  process.exitCode = 1
}

async function settings(): Promise<Config> {
  const environment = await readEnvironment()
  const port = environment['CP_LISTEN_ADDR']?.split(':').at(-1) ?? '8080'
  return parseConfig({
    ...environment,
    // No database is used.
    DATABASE_URL: 'postgres://none',
    CP_PUBLIC_URL: environment['CP_PUBLIC_URL'] || `http://127.0.0.1:${port}`,
  })
}

async function check(name: string, { listen, oauth }: Config): Promise<void> {
  const create = Object.hasOwn(knownProviders, name) ? knownProviders[name] : undefined
  const configured = oauth.configured[name]
  if (!create || !configured) {
    const variables = `OAUTH_${name.toUpperCase()}_CLIENT_ID and OAUTH_${name.toUpperCase()}_CLIENT_SECRET`
    throw new LiveError(create ? `Set ${variables}, in .env or for this command` : `There is no ${name}`)
  }
  const path = `/v1/auth/oauth/${name}/callback`
  const redirectUri = `${oauth.publicUrl}${path}`
  const fetch = spoken(createProviderFetch())
  const provider = create({ name, settings: configured, redirectUri, fetch })
  const server = await listening(listen)
  try {
    // The secret is good for this one login.
    const { state, codeVerifier } = new StateCookies(crypto.randomUUID()).begin(name)
    const url = await provider.authorizationUrl(state, codeChallengeOf(codeVerifier))
    console.log(`The callback URL to register there:\n  ${redirectUri}`)
    console.log(
      `Listening for it on port ${(server.address() as AddressInfo).port}. Open in a browser:\n  ${url.href}`,
    )
    const answer = callback(server, { path, state })
    const query = await withDeadline('the callback', stateLifetimeSec * 1_000, answer)
    const { id, email } = await provider
      .exchange(codeIn(query, provider), codeVerifier)
      .catch((cause: unknown) => {
        throw new LiveError(`The exchange failed: ${providerErrorText(cause)}`)
      })
    console.log(`It works: account ${id}, with the verified address ${email}.`)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function listening({ host, port }: Config['listen']): Promise<Server> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return server
  } catch (error) {
    if (!isErrno(error, 'EADDRINUSE')) throw error
    throw new LiveError(`${host}:${port} is in use: stop the platform while this runs, or set CP_LISTEN_ADDR`)
  }
}

/** The query of the first callback that carries the state. Others are told so, and do no harm. */
function callback(server: Server, wanted: { path: string; state: string }): Promise<URLSearchParams> {
  return new Promise((resolve) => {
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
      response.setHeader('content-type', 'text/plain; charset=utf-8')
      if (!pathname.endsWith(wanted.path)) return response.writeHead(404).end('Not here.\n')
      if (searchParams.get('state') !== wanted.state)
        return response.writeHead(400).end('Of another login: open the URL that oauth:live shows now.\n')
      // The answer leaves before the server is closed.
      return response.end('Back at oauth:live; it says there how it went.\n', () => resolve(searchParams))
    })
  })
}

function codeIn(query: URLSearchParams, { issuer }: OAuthProvider): string {
  const [error, code, from] = ['error', 'code', 'iss'].map((name) => query.get(name))
  if (error) throw new LiveError(`The provider refused: ${errorCodeText(error)}`)
  if (from && from !== issuer)
    throw new LiveError(`The answer is from ${JSON.stringify(from)} instead of ${issuer}: check the base URL`)
  if (!code) throw new LiveError('The provider sent no code')
  console.log(
    `The provider sent a code of ${code.length} characters${from ? `, as ${from}` : ', and no iss'}.`,
  )
  return code
}

/** Says what is called and what comes, and of a token how it begins. */
function spoken(fetch: ProviderFetch): ProviderFetch {
  return async (url, init) => {
    const startedAt = performance.now()
    const answer = await fetch(url, init)
    const took = Math.round(performance.now() - startedAt)
    const { origin, pathname } = new URL(url)
    console.log(
      `${init?.method ?? 'GET'} ${origin}${pathname}: ${answer.status} after ${took} ms${await tokenIn(answer)}`,
    )
    return answer
  }
}

async function tokenIn(answer: Response): Promise<string> {
  const text = await answer.clone().text()
  const [, token] = /"access_token"\s*:\s*"([^"]*)"/.exec(text) ?? []
  const [, scope = 'none'] = /"scope"\s*:\s*"([\w:, -]*)"/.exec(text) ?? []
  return token ? `, a token ${token.slice(0, 4)}… of ${token.length} characters, scope ${scope}` : ''
}
