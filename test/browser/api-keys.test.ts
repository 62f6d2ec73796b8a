// /api-keys in a browser: a key is shown once, and stops working when it is revoked.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { Locator } from 'playwright-core'
import type { Account, Api } from '../support/api.ts'
import { copied, pasteCurl } from '../support/clipboard.ts'
import { createPlatform, type Platform } from '../support/control-plane.ts'
import { builtDashboard, Dashboard } from '../support/dashboard.ts'

describe('API keys', () => {
  let platform: Platform
  let api: Api
  let account: Account
  let dashboard: Dashboard

  before(async () => {
    platform = await createPlatform({ dashboardFolder: await builtDashboard() })
    api = platform.api
  })

  after(() => platform?.remove())

  beforeEach(async () => {
    account = await api.account()
    dashboard = await Dashboard.open(api.url)
  })

  afterEach(() => dashboard.close())

  /** Keys are refused to keys. */
  const session = () => ({ token: account.token })
  const button = (name: string): Locator => dashboard.page.getByRole('button', { name })
  const row = (text: string): Locator => dashboard.page.getByRole('row').filter({ hasText: text })
  const dialog = (): Locator => dashboard.page.getByRole('dialog')

  it('are made and shown once: nothing but the button for it closes that', async () => {
    const { page } = dashboard
    await dashboard.signIn(account)
    await removeKeys()
    await page.getByRole('link', { name: 'API keys' }).click()
    await page.getByText('No API keys yet').waitFor()
    await dashboard.assertAccessible()
    await dashboard.screenshots('api-keys-empty')

    await button('Create key').click()
    await page.getByLabel('Name', { exact: true }).fill('the laptop')
    await dashboard.assertAccessible()
    await dashboard.screenshots('api-keys-create')
    await page.keyboard.press('Enter')
    await dialog().getByText('This is the only time').waitFor()
    await dashboard.assertAccessible()
    const key = (await page.getByTestId('new-key').textContent()) ?? ''
    assert.match(key, /^wrn_[0-9a-f]{40}$/)
    // What has the focus is the copying: the first thing that a thoughtless Enter does.
    await page.locator('button:focus', { hasText: 'Copy key' }).waitFor()
    await page.keyboard.press('Escape')
    await page.mouse.click(5, 5)
    await page.evaluate('history.back()')
    assert.equal(await copied(dashboard.page, button('Copy key')), key)
    assert.match(page.url(), /\/api-keys$/)
    await dialog().getByText(key, { exact: true }).waitFor()
    await dashboard.screenshots('api-keys-new')
    await button('I have saved the key').click()
    await dialog().waitFor({ state: 'hidden' })

    await row('the laptop').getByText('never').waitFor()
    await row('the laptop')
      .getByText(`${key.slice(0, 12)}...`)
      .waitFor()
    assert.ok(!(await page.content()).includes(key))
    const stored = await page.evaluate<string>('JSON.stringify([{...localStorage}, {...sessionStorage}])')
    assert.ok(!stored.includes(key))
    assert.deepEqual(await api.list({ apiKey: key }), [])
    await page.reload()
    await row('the laptop').getByText('just now').nth(1).waitFor()
    await dashboard.assertAccessible()
  })

  it('say what is wrong with a name, and keep it', async () => {
    dashboard.expectComplaint(/status of 400/)
    await dashboard.signIn(account, '/api-keys')
    await button('Create key').click()
    const name = dashboard.page.getByLabel('Name', { exact: true })
    await name.fill('x'.repeat(101))
    await button('Create').last().click()
    await dashboard.page.getByText(/at most 100/).waitFor()
    assert.equal(await name.inputValue(), 'x'.repeat(101))
    await name.fill('x'.repeat(100))
    const created = JSON.parse(
      await pasteCurl(await copied(dashboard.page, button('Copy as curl')), account),
    ) as { name: string }
    assert.equal(created.name, 'x'.repeat(100))
    await button('Cancel').click()
    await dashboard.page.reload()
    await row('x'.repeat(100)).waitFor()
    await dashboard.assertAccessible()
    await dashboard.screenshots('api-keys')
  })

  it('stop working when they are revoked, here or by the command that was copied', async () => {
    await api.expect(201, 'createAPIKey', { as: session(), body: { name: 'the other one' } })
    await dashboard.signIn(account, '/api-keys')
    await button('Revoke the other one').click()
    await dashboard.page.getByRole('alertdialog').getByText('stops working at once').waitFor()
    await dashboard.assertAccessible()
    await dashboard.screenshots('api-keys-revoke')
    await pasteCurl(await copied(dashboard.page, button('Copy as curl')), account)
    assert.equal((await keys()).length, 1)
    await button('Cancel').click()

    await button('Revoke Unnamed API Key').click()
    await button('Revoke').last().click()
    await row('Unnamed API Key').waitFor({ state: 'hidden' })
    await api.refused('unauthorized', 'listSandboxes', { as: { apiKey: account.apiKey } })
  })

  it('that cannot be loaded are asked for again', async () => {
    dashboard.expectComplaint(/status of 500/)
    await dashboard.signIn(account)
    const error = { code: 'internal_error', message: 'The server has failed' }
    await dashboard.page.route('**/v1/api-keys', (route) =>
      route.fulfill({ status: 500, json: { error }, headers: { 'x-request-id': 'abc' } }),
    )
    await dashboard.page.getByRole('link', { name: 'API keys' }).click()
    await dashboard.page.getByText('The server has failed').waitFor()
    await dashboard.page.getByText('Request abc').waitFor()
    await dashboard.page.unroute('**/v1/api-keys')
    await button('Try again').click()
    await row('Unnamed API Key').waitFor()
  })

  const keys = (): Promise<{ id: string }[]> => api.expect(200, 'listAPIKeys', { as: session() })

  async function removeKeys(): Promise<void> {
    for (const { id } of await keys())
      await api.expect(204, 'deleteAPIKey', { as: session(), params: { id } })
  }
})
