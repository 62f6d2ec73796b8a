// The GitHub provider against a server that says what a test wants. Whole logins are tried elsewhere.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { text } from 'node:stream/consumers'
import { providerErrorText } from '../../../services/oauth/error-text.ts'
import { createProviderFetch } from '../http.ts'
import type { OAuthProvider } from '../provider.ts'
import { createGitHub } from './github.ts'

const accessToken = 'gho_0123456789'
const clientSecret = 'the client secret'
const code = 'the-code-0123'
const codeVerifier = 'the-code-verifier-0123'

interface Answer {
  status?: number
  body: unknown
}

describe('the GitHub provider', () => {
  let server: Server
  let url: string
  let answers: Record<string, Answer>
  const requests: { path: string; headers: IncomingMessage['headers']; body: string }[] = []

  before(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const path = request.url ?? ''
        requests.push({ path, headers: request.headers, body })
        const { status = 200, body: answer } = answers[path] ?? { status: 404, body: {} }
        response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
        response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  after(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })

  beforeEach(() => {
    requests.length = 0
    answers = {
      '/login/oauth/access_token': {
        body: { access_token: accessToken, token_type: 'bearer', scope: 'read:user,user:email' },
      },
      '/api/v3/user': { body: { id: 583_231, login: 'octocat', email: 'shown@example.com' } },
      '/api/v3/user/emails?per_page=100': {
        body: [
          { email: 'other@example.com', primary: false, verified: true, visibility: null },
          { email: 'octocat@example.com', primary: true, verified: true, visibility: 'public' },
        ],
      },
    }
  })

  const redirectUri = 'https://api.example.com/v1/auth/oauth/github/callback'

  function gitHub(urls: { baseUrl?: string; apiUrl?: string } = { baseUrl: url }): OAuthProvider {
    return createGitHub({
      name: 'github',
      settings: { clientId: 'the id', clientSecret, ...urls },
      redirectUri,
      fetch: createProviderFetch(),
    })
  }

  async function failure(): Promise<string> {
    const error: unknown = await gitHub()
      .exchange(code, codeVerifier)
      .then(
        (profile) => assert.fail(JSON.stringify(profile)),
        (error: unknown) => error,
      )
    const text = providerErrorText(error)
    for (const secret of [accessToken, clientSecret, code, codeVerifier])
      assert.ok(!text.includes(secret), text)
    return text
  }

  it('exchanges the code with its secret and verifier for the id and the primary verified address', async () => {
    assert.deepEqual(await gitHub().exchange(code, codeVerifier), {
      id: '583231',
      email: 'octocat@example.com',
    })
    assert.deepEqual(
      requests.map(({ path }) => path),
      ['/login/oauth/access_token', '/api/v3/user', '/api/v3/user/emails?per_page=100'],
    )
    const [exchange, user] = requests
    assert.equal(exchange?.headers.accept, 'application/json')
    assert.deepEqual(Object.fromEntries(new URLSearchParams(exchange?.body)), {
      client_id: 'the id',
      client_secret: clientSecret,
      grant_type: 'authorization_code',
      code,
      code_verifier: codeVerifier,
      redirect_uri: redirectUri,
    })
    assert.equal(user?.headers.authorization, `Bearer ${accessToken}`)
    assert.ok(user?.headers['user-agent'])
  })

  it('is GitHub itself, or GitHub Enterprise with its API below its host or elsewhere', async () => {
    const { issuer } = gitHub({})
    assert.equal(issuer, 'https://github.com/login/oauth')
    assert.equal((await gitHub({}).authorizationUrl('s', 'c')).host, 'github.com')
    assert.equal(gitHub().issuer, `${url}/login/oauth`)
    answers['/user'] = answers['/api/v3/user'] as Answer
    answers['/user/emails?per_page=100'] = answers['/api/v3/user/emails?per_page=100'] as Answer
    await gitHub({ baseUrl: url, apiUrl: url }).exchange(code, codeVerifier)
    assert.deepEqual(
      requests.map(({ path }) => path),
      ['/login/oauth/access_token', '/user', '/user/emails?per_page=100'],
    )
  })

  it("takes GitHub's refusal with status 200 as one", async () => {
    answers['/login/oauth/access_token'] = {
      body: { error: 'bad_verification_code', error_description: `${code} is incorrect or expired.` },
    }
    assert.match(await failure(), /\(bad_verification_code\)$/)
    assert.equal(requests.length, 1)
  })

  it('fails without the primary verified address', async () => {
    const path = '/api/v3/user/emails?per_page=100'
    for (const body of [
      [],
      [{ email: 'a@example.com', primary: true, verified: false }],
      [{ email: 'a@example.com', primary: false, verified: true }],
    ]) {
      answers[path] = { body }
      assert.equal(await failure(), 'the account has no primary verified e-mail address')
    }
  })

  it('fails with what is not an answer of GitHub, and quotes nothing of it', async () => {
    const token = '/login/oauth/access_token'
    const user = '/api/v3/user'
    const wrong: [string, Answer][] = [
      [token, { body: `access_token=${accessToken}&token_type=bearer` }],
      [token, { body: { access_token: `${accessToken}\nx`, token_type: 'bearer' } }],
      [token, { body: { access_token: 1, token_type: 'bearer' } }],
      [token, { body: {} }],
      [token, { status: 500, body: accessToken }],
      [user, { status: 401, body: { message: accessToken } }],
      [user, { body: accessToken }],
      [user, { body: { id: accessToken } }],
      [user, { body: { id: 0 } }],
      [user, { status: 204, body: '' }],
      [`${user}/emails?per_page=100`, { body: { email: accessToken } }],
    ]
    const usual = answers
    for (const [path, answer] of wrong) {
      answers = { ...usual, [path]: answer }
      assert.notEqual(await failure(), '', path)
    }
  })
})
