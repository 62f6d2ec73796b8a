// A GitHub that is as strict as the real one is said to be, and stricter: registered redirect_uris, PKCE S256, client
// secret, codes that are good once, tokens with scopes, `iss`. Any of its endpoints can be made to misbehave.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createGitHub } from '../../../apps/control-plane/src/auth/oauth/providers/github.ts'
import { GitHubAccounts } from './github-accounts.ts'
import { oauthApp, redirectUriOf, twinOf, type IdentityProvider, type Person } from './identity-provider.ts'

interface Grant {
  login: string
  redirectUri: string
  challenge: string
}

/** What we call on our own; the browser's part always works. */
export type Endpoint = 'token' | 'user' | 'emails'

const endpoints: Record<string, Endpoint> = {
  'POST /login/oauth/access_token': 'token',
  'GET /user': 'user',
  'GET /user/emails': 'emails',
}

export class FakeGitHub implements IdentityProvider {
  readonly name = 'github'
  readonly factory = createGitHub
  /** All that went over the wire and must stay between the two. */
  readonly secrets = new Set<string>()
  /** What was called on behalf of each login, in order. */
  readonly calls = new Map<string, Endpoint[]>()
  /** Of all connections, the one that took most. */
  mostBytesSent = 0
  readonly baseUrl: string
  readonly #server: Server
  readonly #accounts = new GitHubAccounts()
  readonly #grants = new Map<string, Grant>()
  readonly #logins = new Map<string, string>()
  readonly #misbehaviours = new Map<string, { endpoint: Endpoint; listener: RequestListener }>()

  private constructor(server: Server) {
    this.#server = server
    this.baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error))
      })
    })
  }

  static async start(): Promise<FakeGitHub> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FakeGitHub(server)
  }

  /** As at GitHub's when it is down: nobody listens. */
  async remove(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** After `remove`, at the same address. */
  async comeBack(): Promise<void> {
    this.#server.listen(Number(new URL(this.baseUrl).port), '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get settings() {
    return { ...oauthApp, baseUrl: this.baseUrl, apiUrl: this.baseUrl }
  }

  get issuer(): string {
    return `${this.baseUrl}/login/oauth`
  }

  person(): Person {
    return this.#accounts.add()
  }

  account({ login }: Person): ReturnType<GitHubAccounts['get']> {
    return this.#accounts.get(login)
  }

  /** Towards what is asked on behalf of this person, until `heal`. */
  misbehave({ login }: Person, endpoint: Endpoint, listener: RequestListener): void {
    this.#misbehaviours.set(login, { endpoint, listener })
  }

  heal({ login }: Person): void {
    this.#misbehaviours.delete(login)
  }

  /** The person is logged in at GitHub and presses "Authorize". */
  async consent(page: URL, { login }: Person): Promise<URL> {
    const answer = await fetch(page, { redirect: 'manual', headers: { cookie: `user_session=${login}` } })
    assert.equal(answer.status, 302, await answer.text())
    return new URL(answer.headers.get('location') ?? '')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.baseUrl)
    if (url.pathname === '/login/oauth/authorize') return this.#authorize(url, request, response)
    const endpoint = endpoints[`${request.method} ${url.pathname}`]
    if (!endpoint) return void response.writeHead(404).end()
    const form = new URLSearchParams(await text(request))
    const grant = this.#grants.get(form.get('code') ?? '')
    const login = grant?.login ?? this.#logins.get(tokenIn(request)) ?? ''
    this.calls.set(login, [...(this.calls.get(login) ?? []), endpoint])
    response.once('close', () => {
      this.mostBytesSent = Math.max(this.mostBytesSent, request.socket.bytesWritten)
    })
    const wrong = this.#misbehaviours.get(login)
    if (wrong?.endpoint === endpoint) return wrong.listener(request, response)
    if (endpoint === 'token') return this.#token(form, request, response)
    if (login === '') return send(response, 401, { message: 'Bad credentials' })
    const account = this.#accounts.get(login)
    // GitHub refuses calls without a user agent.
    assert.ok(request.headers['user-agent'])
    if (endpoint === 'emails') return send(response, 200, account.emails)
    return send(response, 200, { id: account.id, ...account.profile })
  }

  #authorize(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const asked = Object.fromEntries(url.searchParams)
    const { client_id: client, redirect_uri: redirectUri = '', state = '', code_challenge: challenge } = asked
    const [, login = ''] = /^user_session=(\w+)$/.exec(request.headers.cookie ?? '') ?? []
    assert.equal(url.searchParams.size, Object.keys(asked).length, 'a parameter is given twice')
    assert.equal(client, oauthApp.clientId)
    assert.ok(
      [this.name, twinOf(this.name)].map((each) => redirectUriOf(each)).includes(redirectUri),
      `${redirectUri} is not registered`,
    )
    assert.equal(asked['scope'], 'read:user user:email')
    assert.equal(asked['code_challenge_method'], 'S256')
    assert.match(challenge ?? '', /^[\w-]{43}$/)
    assert.ok(state.length >= 43 && this.#accounts.get(login))
    const code = this.#secret('')
    this.#grants.set(code, { login, redirectUri, challenge: challenge ?? '' })
    const back = new URL(redirectUri)
    back.search = new URLSearchParams({ code, state, iss: this.issuer }).toString()
    response.writeHead(302, { location: back.href }).end()
  }

  #token(form: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const [code, verifier] = [form.get('code') ?? '', form.get('code_verifier') ?? '']
    this.secrets.add(verifier)
    // As GitHub does it: refusals have status 200.
    const refuse = (error: string): void =>
      send(response, 200, { error, error_description: `${error}: ${code}` })
    const { clientId, clientSecret } = oauthApp
    if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret)
      return refuse('incorrect_client_credentials')
    const grant = this.#grants.get(code)
    this.#grants.delete(code)
    if (!grant || challengeOf(verifier) !== grant.challenge) return refuse('bad_verification_code')
    if (form.get('redirect_uri') !== grant.redirectUri) return refuse('redirect_uri_mismatch')
    assert.match(request.headers.accept ?? '', /application\/json/, 'GitHub would answer a form')
    const token = this.#secret('gho_')
    this.#logins.set(token, grant.login)
    send(response, 200, { access_token: token, token_type: 'bearer', scope: 'read:user,user:email' })
  }

  #secret(prefix: string): string {
    const secret = prefix + randomBytes(20).toString('hex')
    this.secrets.add(secret)
    return secret
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}

function tokenIn({ headers }: IncomingMessage): string {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
}

/** RFC 7636, section 4.6. */
function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}
