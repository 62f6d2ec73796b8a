// A full run of logins, good and bad, on a control plane as a process that logs all it can: what must stay secret is in no
// line of its, and in none of the database's.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { UndoStack } from '@wrenn/base'
import { startControlPlaneProcess, type ControlPlaneProcess } from '../support/control-plane-process.ts'
import { Browser, type Page } from '../support/oauth/browser.ts'
import { FakeGitHub, type Endpoint } from '../support/oauth/fake-github.ts'
import { apiOrigin, oauthApp, refusalOf, type Person } from '../support/oauth/identity-provider.ts'
import { misbehaviours } from '../support/oauth/misbehaviours.ts'
import { createPostgres, type TestPostgres } from '../support/postgres.ts'

const jwtSecret = 'a secret of this control plane, which is in no log'
/** They end with the deadline, which is no shorter here than in operation. */
const slow = new Set(['silence', 'an answer that trickles'])

describe('the logs of a full run', () => {
  const undo = new UndoStack()
  let postgres: TestPostgres
  let github: FakeGitHub
  let controlPlane: ControlPlaneProcess
  /** By name, so that a failure does not show them. */
  const secrets = new Map<string, string>()

  before(async () => {
    const folder = await undo.acquire('folder', mkdtemp(join(tmpdir(), 'wrenn-oauth-')), (path) =>
      rm(path, { recursive: true }),
    )
    postgres = await undo.acquire('postgres', createPostgres(), (server) => server.remove())
    github = await undo.acquire('github', FakeGitHub.start(), (server) => server.remove())
    const started = startControlPlaneProcess({
      DATABASE_URL: await postgres.database(),
      JWT_SECRET: jwtSecret,
      WRENN_DIR: folder,
      LOG_LEVEL: 'trace',
      CP_PUBLIC_URL: apiOrigin,
      OAUTH_REDIRECT_URL: 'https://app.example.com',
      OAUTH_GITHUB_CLIENT_ID: oauthApp.clientId,
      OAUTH_GITHUB_CLIENT_SECRET: oauthApp.clientSecret,
      OAUTH_GITHUB_BASE_URL: github.baseUrl,
      OAUTH_GITHUB_API_URL: github.baseUrl,
    })
    controlPlane = await undo.acquire('control plane', started, (process) => process.end())
  })

  after(async () => assert.deepEqual(await undo.undoAll(), []))

  function keep(kind: string, value: string | null | undefined): void {
    if (value) secrets.set(`${kind} ${secrets.size}`, value)
  }

  async function begin(browser: Browser): Promise<URL> {
    const { location } = await browser.get(`${apiOrigin}/v1/auth/oauth/github`)
    assert.ok(location)
    const cookie = browser.cookies.get('oauth_state')?.value
    keep('cookie', cookie)
    keep('MAC of a cookie', cookie?.split('.').at(-1))
    keep('state', location.searchParams.get('state'))
    return location
  }

  async function finish(browser: Browser, callback: URL): Promise<Page> {
    keep('code', callback.searchParams.get('code'))
    const page = await browser.get(callback)
    const token = page.location?.searchParams.get('token')
    keep('token', token)
    keep('signature of a token', token?.split('.')[2])
    return page
  }

  const newBrowser = (): Browser => new Browser({ [apiOrigin]: controlPlane.url })

  async function logIn(person: Person, change = (url: URL): URL => url): Promise<string> {
    const browser = newBrowser()
    const callback = await github.consent(await begin(browser), person)
    const { location } = await finish(browser, change(callback))
    return location?.searchParams.get('error') ?? 'ok'
  }

  it('hold no token, code, secret, verifier or cookie', async () => {
    const ends: string[] = []
    const person = github.person()
    ends.push(...(await Promise.all(Array.from({ length: 8 }, () => logIn(person)))), await logIn(person))
    for (const [kind, listener] of Object.entries(misbehaviours(`${github.baseUrl}/elsewhere`)))
      for (const endpoint of ['token', 'user', 'emails'] satisfies Endpoint[]) {
        if (slow.has(kind)) continue
        const unlucky = github.person()
        github.misbehave(unlucky, endpoint, listener)
        ends.push(await logIn(unlucky))
      }
    // Answers whose content is itself what must not be told, in places where parsers quote it.
    for (const body of ['secretsecret1', '{"error":"secretsecret2","error_description":"secretsecret3"}']) {
      const unlucky = github.person()
      github.misbehave(unlucky, 'token', (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(body)
      })
      ends.push(await logIn(unlucky))
    }
    keep('part of an answer', 'secretsecret')
    // A token that cannot be a header's value.
    const odd = github.person()
    github.misbehave(odd, 'token', (_request, response) => {
      const answer = { access_token: 'oddtoken\r\nx: ü', token_type: 'bearer' }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
    keep('odd token', 'oddtoken')
    ends.push(await logIn(odd))
    ends.push(
      await logIn(github.person(), (url) => with_(url, 'iss', 'https://evil.example.com')),
      await logIn(github.person(), (url) => with_(url, 'state', 'x'.repeat(43))),
      await logIn(github.person(), (url) => with_(url, 'code', '')),
      await logIn(github.person(), (url) => with_(url, 'code', `guessed${'x'.repeat(33)}`)),
    )
    const browser = newBrowser()
    await finish(browser, refusalOf(await begin(browser)))
    const twice = await github.consent(await begin(browser), person)
    const { status } = await finish(browser, new URL(`${twice.href}&${twice.search.slice(1)}`))
    assert.equal(status, 400)
    ends.push(await logInWithoutDatabase(person))
    const reached = new Set(ends)
    for (const end of ['ok', 'exchange_failed', 'invalid_state', 'missing_code', 'internal_error'])
      assert.ok(reached.has(end), end)

    await controlPlane.end()
    await assertSilent(ends.length)
  })

  async function logInWithoutDatabase(person: Person): Promise<string> {
    const browser = newBrowser()
    const callback = await github.consent(await begin(browser), person)
    await postgres.stop()
    const { location } = await finish(browser, callback)
    await postgres.start()
    return location?.searchParams.get('error') ?? 'ok'
  }

  async function assertSilent(logins: number): Promise<void> {
    for (const value of github.secrets) keep('code, token or verifier', value)
    keep('client secret', oauthApp.clientSecret)
    keep('JWT_SECRET', jwtSecret)
    const log = controlPlane.output() + (await readFile(postgres.logFile, 'utf8'))
    assert.equal(log.match(/"op":"oauthCallback"/g)?.length, logins + 2)
    assert.ok(secrets.size > logins * 4)
    for (const [name, value] of secrets)
      for (const written of new Set([value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]))
        assert.ok(!log.includes(written), `${name}: ${lineWith(log, written)}`)
  }
})

function with_(url: URL, name: string, value: string): URL {
  url.searchParams.set(name, value)
  return url
}

function lineWith(log: string, text: string): string {
  return log.split('\n').find((line) => line.includes(text)) ?? ''
}
