// `npm run oauth:live` as a command, against the strict fake and the emulator instead of the real GitHub.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { pollUntil, UndoStack, type ProviderSettings } from '@wrenn/base'
import { Browser, type Page } from '../support/oauth/browser.ts'
import { startEmulatedGitHub } from '../support/oauth/emulated-github.ts'
import { FakeGitHub } from '../support/oauth/fake-github.ts'
import { apiOrigin, refusalOf } from '../support/oauth/identity-provider.ts'

const tool = join(import.meta.dirname, '../../tools/oauth-live.ts')

interface LiveRun {
  output: () => string
  /** The exit code. */
  ended: Promise<number | null>
}

describe('npm run oauth:live', () => {
  const undo = new UndoStack()

  afterEach(async () => assert.deepEqual(await undo.undoAll(), []))

  /** It reads .env too: every variable that matters here is given, or empty. */
  function start(settings: ProviderSettings, ...args: string[]): LiveRun {
    const env = {
      PATH: process.env['PATH'],
      CP_LISTEN_ADDR: '127.0.0.1:0',
      CP_PUBLIC_URL: apiOrigin,
      OAUTH_REDIRECT_URL: '',
      OAUTH_GITHUB_CLIENT_ID: settings.clientId,
      OAUTH_GITHUB_CLIENT_SECRET: settings.clientSecret,
      OAUTH_GITHUB_BASE_URL: settings.baseUrl,
      OAUTH_GITHUB_API_URL: settings.apiUrl,
    }
    const child = spawn(process.execPath, [tool, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(child, 'close').then(([code]) => code as number | null)
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    undo.defer('the tool', async () => {
      child.kill()
      await ended
    })
    return { output: () => output, ended }
  }

  /** Opens the URL that it prints, and brings `answer` back. */
  async function visit({ output }: LiveRun, answer: (page: URL) => Promise<URL> | URL): Promise<Page> {
    const shown = (): RegExpExecArray | undefined =>
      /on port (\d+)\. Open in a browser:\n {2}(\S+)\n/.exec(output()) ?? undefined
    const [, port = '', url = ''] = await pollUntil('the URL', shown, { timeoutMs: 20_000 })
    const browser = new Browser({ [apiOrigin]: `http://127.0.0.1:${port}` })
    return browser.get(await answer(new URL(url)))
  }

  it('logs in and says what it got, and no token, code or secret', async () => {
    const github = await undo.acquire('github', FakeGitHub.start(), (server) => server.remove())
    const person = github.person()
    const run = start(github.settings)
    const stranger = await visit(
      run,
      () => new URL(`${apiOrigin}/v1/auth/oauth/github/callback?state=x&code=y`),
    )
    assert.equal(stranger.status, 400)
    const page = await visit(run, (url) => github.consent(url, person))
    assert.match(page.body, /^Back at oauth:live/)
    assert.equal(await run.ended, 0, run.output())
    const { id } = github.account(person)
    assert.ok(run.output().includes(`It works: account ${id}, with the verified address ${person.email}.`))
    assert.match(
      run.output(),
      /access_token: 200 after \d+ ms, a token gho_… of 44 characters, scope read:user/,
    )
    assert.match(run.output(), /GET \S+\/user\/emails: 200/)
    for (const secret of [...github.secrets, github.settings.clientSecret])
      assert.ok(!run.output().includes(secret))
  })

  it("logs in at emulate's GitHub", async () => {
    const github = await undo.acquire('github', startEmulatedGitHub(), (server) => server.remove())
    const person = github.person()
    const run = start(github.settings)
    await visit(run, (url) => github.consent(url, person))
    assert.equal(await run.ended, 0, run.output())
    assert.ok(run.output().includes(person.email))
  })

  it('says why it did not work, and ends with 1', async () => {
    const github = await undo.acquire('github', FakeGitHub.start(), (server) => server.remove())
    const refused = start(github.settings)
    await visit(refused, refusalOf)
    assert.equal(await refused.ended, 1)
    assert.match(refused.output(), /The provider refused: access_denied\n$/)

    const wrong = start({ ...github.settings, clientSecret: 'a wrong one' })
    await visit(wrong, (url) => github.consent(url, github.person()))
    assert.equal(await wrong.ended, 1)
    assert.match(wrong.output(), /The exchange failed: .*\(incorrect_client_credentials\)\n$/)

    const unknown = start(github.settings, 'gitlab')
    assert.equal(await unknown.ended, 1)
    assert.equal(unknown.output(), 'There is no gitlab\n')
  })
})
