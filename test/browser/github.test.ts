// "Continue with GitHub" in a browser, through the emulated GitHub and its page: from the button to the page that one came
// from, and each way in which it fails. The control plane is a process with its settings from the environment.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { UndoStack } from '@wrenn/base'
import type { Page } from 'playwright-core'
import { Api } from '../support/api.ts'
import { startControlPlaneProcess, type ControlPlaneProcess } from '../support/control-plane-process.ts'
import { builtDashboard, Dashboard } from '../support/dashboard.ts'
import { freePort } from '../support/free-port.ts'
import { startEmulatedGitHub } from '../support/oauth/emulated-github.ts'
import {
  oauthApp,
  refusalOf,
  type IdentityProvider,
  type Person,
} from '../support/oauth/identity-provider.ts'
import { createPostgres, type TestPostgres } from '../support/postgres.ts'

describe('a login with GitHub', () => {
  const undo = new UndoStack()
  let postgres: TestPostgres
  let github: IdentityProvider
  let controlPlane: ControlPlaneProcess
  let dashboard: Dashboard
  let page: Page

  before(async () => {
    const folder = await undo.acquire('folder', mkdtemp(join(tmpdir(), 'wrenn-github-')), (path) =>
      rm(path, { recursive: true }),
    )
    postgres = await undo.acquire('postgres', createPostgres(), (server) => server.remove())
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    github = await undo.acquire('github', startEmulatedGitHub(url), (server) => server.remove())
    const started = startControlPlaneProcess({
      DATABASE_URL: await postgres.database(),
      JWT_SECRET: 'a secret of this control plane, which is in no log',
      WRENN_DIR: folder,
      WRENN_DASHBOARD_DIR: await builtDashboard(),
      LOG_LEVEL: 'trace',
      CP_LISTEN_ADDR: `127.0.0.1:${port}`,
      CP_PUBLIC_URL: url,
      OAUTH_GITHUB_CLIENT_ID: oauthApp.clientId,
      OAUTH_GITHUB_CLIENT_SECRET: oauthApp.clientSecret,
      OAUTH_GITHUB_BASE_URL: github.settings.baseUrl ?? '',
      OAUTH_GITHUB_API_URL: github.settings.apiUrl ?? '',
    })
    controlPlane = await undo.acquire('control plane', started, (process) => process.end())
    dashboard = await Dashboard.open(controlPlane.url, [github.settings.baseUrl ?? ''])
    page = dashboard.page
  })

  after(async () => {
    try {
      await dashboard?.close()
    } finally {
      assert.deepEqual(await undo.undoAll(), [])
    }
  })

  afterEach(async () => {
    dashboard.assertQuiet()
    await dashboard.signOut()
  })

  const heading = (name: string): Promise<void> => page.getByRole('heading', { level: 1, name }).waitFor()

  /** From the sign-in page to GitHub's. */
  async function begin(path = '/sign-in'): Promise<void> {
    await dashboard.goto(path)
    await page.getByRole('link', { name: 'Continue with GitHub' }).click()
    await page.waitForURL(`${github.settings.baseUrl}/login/oauth/authorize?*`)
  }

  const consent = ({ login }: Person): Promise<void> =>
    page
      .locator('form', { has: page.locator(`[name=login][value="${login}"]`) })
      .locator('button')
      .click()

  const token = (): Promise<string | undefined> =>
    page.evaluate<string | undefined>("JSON.parse(sessionStorage.getItem('wrenn.session') ?? '{}').token")

  it('ends where one wanted to go, signed in, with the token in no address and no log', async () => {
    const seen: string[] = []
    page.on('request', (request) => {
      seen.push(`referrer ${request.headers()['referer'] ?? ''}`)
      if (!request.isNavigationRequest()) seen.push(request.url())
    })
    const person = github.person()
    await dashboard.goto('/api-keys')
    await heading('Sign in to Wrenn')
    await dashboard.assertAccessible()
    await dashboard.screenshots('sign-in-github')
    await begin('/api-keys')
    await consent(person)
    await heading('API keys')
    assert.equal(page.url(), `${controlPlane.url}/api-keys`)
    await page.getByRole('button', { name: new RegExp(person.email) }).waitFor()

    const secret = (await token()) ?? ''
    assert.match(secret, /^[\w-]+\.[\w-]+\.[\w-]+$/)
    const history = await addressesInHistory()
    assert.ok(history.length > 2)
    const left = await page.evaluate<string>('document.referrer + JSON.stringify({ ...localStorage })')
    const logs = controlPlane.output() + (await readFile(postgres.logFile, 'utf8'))
    assert.match(logs, /"op":"oauthCallback"/)
    for (const text of [...seen, ...history, left, logs]) assert.ok(!text.includes(secret), text)
  })

  /** All that "back" can lead to, whatever its origin. */
  async function addressesInHistory(): Promise<string[]> {
    const devTools = await page.context().newCDPSession(page)
    const { entries } = await devTools.send('Page.getNavigationHistory')
    return entries.flatMap(({ url, userTypedURL }) => [url, userTypedURL])
  }

  it('is the same account the next time, and is finished only once', async () => {
    const person = github.person()
    const account = async (): Promise<unknown> =>
      page.evaluate(
        "(({ userId, teamId }) => ({ userId, teamId }))(JSON.parse(sessionStorage['wrenn.session']))",
      )
    await begin()
    await consent(person)
    await heading('Sandboxes')
    const first = await account()
    await page.getByRole('button', { name: new RegExp(person.email) }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await heading('Sign in to Wrenn')
    await begin()
    await consent(person)
    await heading('Sandboxes')
    assert.deepEqual(await account(), first)
    await dashboard.goto('/auth/github/callback')
    await page.getByText('There is nothing to finish here').waitFor()
  })

  /** What leads to each code, from GitHub's page on; and what puts it right, if anything has to be. */
  const failures: Record<
    string,
    { says: RegExp; fail: (person: Person) => Promise<unknown>; mend?: () => Promise<void> }
  > = {
    access_denied: { says: /declined/, fail: () => page.goto(refusalOf(new URL(page.url())).href) },
    invalid_state: {
      says: /taken too long/,
      fail: async (person) => {
        await page.context().clearCookies()
        await consent(person)
      },
    },
    missing_code: { says: /without a code/, fail: () => page.goto(answer({})) },
    exchange_failed: { says: /did not confirm/, fail: () => page.goto(answer({ code: 'guessed' })) },
    internal_error: {
      says: /on our side/,
      fail: async (person) => {
        await postgres.stop()
        await consent(person)
      },
      mend: () => postgres.start(),
    },
  }

  /** GitHub's answer to what its page was asked, as somebody might forge it. */
  function answer(fields: Record<string, string>): string {
    const asked = new URL(page.url()).searchParams
    const state = asked.get('state') ?? ''
    return `${asked.get('redirect_uri')}?${new URLSearchParams({ state, ...fields }).toString()}`
  }

  for (const [code, { says, fail, mend }] of Object.entries(failures))
    it(`that ends with ${code} says so, and works at the next attempt`, async () => {
      const person = github.person()
      await begin()
      await fail(person)
      await heading('You are not signed in')
      await page.getByRole('alert').getByText(says).waitFor()
      assert.equal(page.url(), `${controlPlane.url}/auth/github/callback`)
      assert.equal(await token(), undefined)
      assert.match(controlPlane.output(), new RegExp(`"op":"oauthCallback".*"code":"${code}"`))
      await mend?.()
      await page.getByRole('link', { name: 'Go to the sign-in page' }).click()
      await begin()
      await consent(person)
      await heading('Sandboxes')
    })

  it('that meets an account with the same address asks for its password', async () => {
    const person = github.person()
    await new Api(controlPlane.url).account(person.email)
    await begin('/snapshots')
    await consent(person)
    await page
      .getByRole('alert')
      .getByText(/Sign in with e-mail and password/)
      .waitFor()
    await dashboard.assertAccessible()
    await page.getByRole('link', { name: 'Go to the sign-in page' }).click()
    await page.getByLabel('E-mail').fill(person.email)
    await page.getByLabel('Password').fill('correct horse')
    await page.keyboard.press('Enter')
    await heading('Sandboxes')
  })
})
