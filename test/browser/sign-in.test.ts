// Signing up, in and out in a browser; a session that ends; what comes back from a provider.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { defaultRateLimits } from '@wrenn/base'
import type { Account } from '../support/api.ts'
import { createPlatform, type Platform } from '../support/control-plane.ts'
import { builtDashboard, Dashboard } from '../support/dashboard.ts'

const password = 'correct horse'

describe('signing in', () => {
  let platform: Platform
  let account: Account
  let dashboard: Dashboard

  before(async () => {
    platform = await createPlatform({ dashboardFolder: await builtDashboard() })
    account = await platform.api.account()
  })

  after(() => platform?.remove())

  beforeEach(async () => {
    dashboard = await Dashboard.open(platform.api.url)
  })

  afterEach(() => dashboard.close())

  const heading = (name: string): Promise<void> =>
    dashboard.page.getByRole('heading', { level: 1, name }).waitFor()

  async function fill(email: string, secret: string): Promise<void> {
    await dashboard.page.getByLabel('E-mail').fill(email)
    await dashboard.page.getByLabel('Password').fill(secret)
  }

  const press = (name: string): Promise<void> => dashboard.page.getByRole('button', { name }).click()

  it('begins with an account of one’s own, in a team of its own', async () => {
    const { page } = dashboard
    const providers = page.waitForResponse('**/v1/auth/providers')
    await dashboard.goto('/')
    await heading('Sign in to Wrenn')
    await providers
    await page.getByRole('link', { name: 'Create one' }).click()
    await heading('Create an account')
    // None is configured here; test/browser/github.test.ts has one.
    assert.equal(await page.getByText('Continue with').count(), 0)
    assert.equal(await page.title(), 'Create an account · Wrenn')
    await dashboard.assertAccessible()
    await dashboard.screenshots('sign-up')
    await fill('new@example.com', password)
    await press('Create account')
    await heading('Sandboxes')
    await page.getByRole('button', { name: /new@example.com's Team/ }).waitFor()
    await dashboard.assertAccessible()
  })

  it('says at the field what is wrong with it, and goes there', async () => {
    const { page } = dashboard
    dashboard.expectComplaint(/status of 4(00|09)/)
    await dashboard.goto('/sign-up')
    await press('Create account')
    await page.getByText('Enter your e-mail address').waitFor()
    assert.equal(await page.locator(':focus').getAttribute('name'), 'email')
    await fill('short@example.com', 'short')
    await press('Create account')
    const field = page.getByLabel('Password')
    await page
      .getByText(/at least 8 characters/i)
      .nth(1)
      .waitFor()
    assert.equal(await field.getAttribute('aria-invalid'), 'true')
    assert.equal(await page.locator(':focus').getAttribute('name'), 'password')
    await dashboard.assertAccessible()
    await dashboard.screenshots('sign-up-refused')
    await fill(account.email, password)
    await press('Create account')
    await page.getByText('There is an account with this e-mail address already').waitFor()
  })

  it('refuses a wrong password in one sentence, and takes the right one', async () => {
    const { page } = dashboard
    dashboard.expectComplaint(/status of 401/)
    await dashboard.goto('/sign-in')
    await dashboard.assertAccessible()
    await dashboard.screenshots('sign-in')
    await fill(account.email, 'not my password')
    await press('Sign in')
    await page.getByRole('alert').waitFor()
    await fill(account.email, password)
    await page.keyboard.press('Enter')
    await heading('Sandboxes')
  })

  it('counts down when there were too many attempts', async () => {
    const limited = await platform.another({
      rateLimits: { ...defaultRateLimits, login: { count: 1, windowSec: 60 } },
    })
    const other = await Dashboard.open(limited.url)
    other.expectComplaint(/status of 4(01|29)/)
    await other.goto('/sign-in')
    const submit = other.page.locator('button[type=submit]')
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await other.page.getByLabel('E-mail').fill('somebody@example.com')
      await other.page.getByLabel('Password').fill('a guess that is wrong')
      await submit.click()
      await other.page.getByRole('alert').waitFor()
    }
    await submit.filter({ hasText: /^Sign in in \d+ s$/ }).waitFor()
    assert.equal(await submit.getAttribute('aria-disabled'), 'true')
    await other.assertAccessible()
    await other.close()
  })

  it('leads back to where one was when the session has expired, or was refused', async () => {
    const { page } = dashboard
    const { id } = await platform.api.create(account)
    const where = `/sandboxes/${id}/files?path=%2Froot`
    const backAgain = async (): Promise<void> => {
      await page.getByText('Your session has expired').waitFor()
      await fill(account.email, password)
      await press('Sign in')
      await page.waitForURL(`**${where}`)
      await heading(id)
    }
    await dashboard.signIn(account, where)
    await heading(id)
    await page.evaluate(() => {
      const storage = (globalThis as unknown as { sessionStorage: Record<string, string> }).sessionStorage
      const session = JSON.parse(storage['wrenn.session'] ?? '') as object
      storage['wrenn.session'] = JSON.stringify({ ...session, expiresAtMs: Date.now() + 3_000 })
    })
    await page.reload()
    await backAgain()

    dashboard.expectComplaint(/status of 401/)
    await dashboard.signIn({ ...account, token: `${account.token}x` }, where)
    await backAgain()
  })

  it('leads nowhere else, whatever the link says', async () => {
    const { page } = dashboard
    for (const to of ['https://evil.example/', '//evil.example', '/\\evil.example', '/docs']) {
      await dashboard.goto(`/sign-in?to=${encodeURIComponent(to)}`)
      await fill(account.email, password)
      await press('Sign in')
      await heading('Sandboxes')
      assert.equal(new URL(page.url()).origin, platform.api.url)
      await dashboard.signOut()
    }
  })

  it('ends when one signs out, and the way back is closed', async () => {
    const { page } = dashboard
    await dashboard.signIn(account, '/snapshots')
    await heading('Snapshots')
    await page.getByRole('button', { name: new RegExp(account.email) }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).waitFor()
    await dashboard.assertAccessible()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await heading('Sign in to Wrenn')
    assert.equal(new URL(page.url()).search, '')
    await page.goBack()
    await heading('Sign in to Wrenn')
    assert.equal(await page.evaluate("sessionStorage.getItem('wrenn.session')"), null)
  })

  it('lasts as long as the tab, and is another tab’s no more', async () => {
    const { page } = dashboard
    await dashboard.signIn(account)
    await heading('Sandboxes')
    await page.reload()
    await heading('Sandboxes')
    const another = await page.context().newPage()
    await another.goto(`${dashboard.url}/sandboxes`)
    await another.getByRole('heading', { level: 1, name: 'Sign in to Wrenn' }).waitFor()
    await another.close()
  })

  it('has a sentence for each way in which a provider’s login fails', async () => {
    const { page } = dashboard
    const sentences = {
      access_denied: /declined/,
      invalid_state: /taken too long/,
      missing_code: /without a code/,
      exchange_failed: /verified e-mail/,
      email_taken: /Sign in with e-mail and password/,
      internal_error: /on our side/,
      something_new: /failed \(something_new\)/,
    }
    for (const [code, sentence] of Object.entries(sentences)) {
      await dashboard.goto(`/auth/github/callback?error=${code}`)
      await page.getByText(sentence).waitFor()
      assert.equal(new URL(page.url()).search, '')
    }
    await dashboard.assertAccessible()
    await dashboard.screenshots('auth-callback-refused')
    await page.getByRole('link', { name: 'Go to the sign-in page' }).click()
    await heading('Sign in to Wrenn')
  })

  it('takes a provider’s token out of the URL at once, in the tab that asked for it only', async () => {
    const { page } = dashboard
    const { token, userId, teamId, email } = account
    const query = new URLSearchParams({ token, user_id: userId, team_id: teamId, email }).toString()
    const seen: string[] = []
    page.on('request', (request) => {
      if (!request.isNavigationRequest()) seen.push(request.url(), request.headers()['referer'] ?? '')
    })
    await dashboard.goto(`/auth/github/callback?${query}`)
    await page.getByText('did not begin in this tab').waitFor()
    await dashboard.goto('/sandboxes')
    await heading('Sign in to Wrenn')

    await page.evaluate(() => {
      const storage = (globalThis as unknown as { sessionStorage: Record<string, string> }).sessionStorage
      storage['wrenn.provider-login'] = JSON.stringify({ provider: 'github', to: '/api-keys' })
    })
    await dashboard.goto(`/auth/github/callback?${query}`)
    await heading('API keys')
    await page.goBack()
    assert.ok(!page.url().includes('token'))
    assert.ok(seen.every((text) => !text.includes(token)))
  })

  it('shows that there is nothing at an address, and asks nobody to sign in for that', async () => {
    dashboard.expectComplaint(/status of 404/)
    await dashboard.goto('/nothing/here')
    await heading('There is nothing here')
    await dashboard.assertAccessible()
    await dashboard.screenshots('not-found')
  })

  it('is done with the keyboard alone, in the theme that one has chosen', async () => {
    const { page } = dashboard
    await dashboard.signIn(account)
    await heading('Sandboxes')
    await page.keyboard.press('Tab')
    assert.equal(await page.locator(':focus').textContent(), 'Skip to content')
    await page.keyboard.press('Enter')
    assert.equal(await page.locator(':focus').getAttribute('id'), 'content')
    await page.getByRole('link', { name: 'API keys' }).focus()
    await page.keyboard.press('Enter')
    await heading('API keys')
    assert.equal(await page.locator(':focus').textContent(), 'API keys')
    assert.equal(await page.title(), 'API keys · Wrenn')
    await page.getByRole('button', { name: new RegExp(account.email) }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('menuitemradio', { name: 'Dark' }).press('Enter')
    await page.locator('html[data-theme=dark]').waitFor({ state: 'attached' })
    await page.reload()
    await heading('API keys')
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark')
  })
})
