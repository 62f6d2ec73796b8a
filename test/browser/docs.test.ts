// GET /docs in a browser: the reference shows every operation, lets one be tried out, and loads nothing from elsewhere.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { publicContract, type PublicSchemas } from '@wrenn/contract'
import type { Account } from '../support/api.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { createPlatform, type Platform } from '../support/control-plane.ts'
import { builtDashboard } from '../support/dashboard.ts'

describe('the reference at /docs in a browser', () => {
  let platform: Platform
  let account: Account
  let browser: TestBrowser

  before(async () => {
    platform = await createPlatform({ dashboardFolder: await builtDashboard() })
    account = await platform.api.account()
    browser = await openBrowser([platform.api.url])
    await browser.page.goto(`${platform.api.url}/docs`)
    await browser.page.locator('.opblock').first().waitFor()
  })

  after(async () => {
    await browser?.close()
    await platform?.remove()
  })

  it('shows every operation of the contract, and no other', async () => {
    const shown = await browser.page.locator('.opblock').evaluateAll((blocks) => blocks.map(({ id }) => id))
    const operations = publicContract().operations
    assert.deepEqual(new Set(shown.map((id) => id.split('-').at(-1))), new Set(operations.keys()))
    assert.equal(shown.length, operations.size)
  })

  it('opens every operation without a complaint', async () => {
    const { page } = browser
    // All at once: each click has the library draw everything.
    const clickAll = (): Promise<void> =>
      page.locator('.opblock-summary-control').evaluateAll((buttons) => {
        for (const button of buttons) (button as { click(): void }).click()
      })
    await clickAll()
    for (const id of publicContract().operations.keys())
      await page.locator(`.opblock[id$="-${id}"] .responses-wrapper`).waitFor()
    assert.equal(await page.locator('.errors-wrapper').count(), 0)
    await clickAll()
    await page.locator('.responses-wrapper').first().waitFor({ state: 'detached' })
    assert.deepEqual(browser.complaints, [])
  })

  it('sends a create with the key that was given, and shows the sandbox', async () => {
    const { page } = browser
    await page.locator('button.authorize').first().click()
    const form = page.locator('.auth-container', { hasText: 'apiKeyAuth' })
    await form.locator('input').fill(account.apiKey)
    await form.locator('button[type=submit]').click()
    await page.locator('.close-modal').click()

    const block = page.locator('.opblock[id$="-createSandbox"]')
    await block.locator('.opblock-summary-control').click()
    await block.locator('.try-out__btn').click()
    await block.locator('textarea.body-param__text').fill('{"metadata":{"from":"docs"}}')
    await block.locator('button.execute').click()
    const answer = block.locator('.live-responses-table')
    await answer.locator('.response-col_status', { hasText: '201' }).waitFor()
    const shown = (await answer.locator('.response-col_description pre').first().textContent()) ?? ''
    const sandbox = JSON.parse(shown) as PublicSchemas['Sandbox']
    assert.deepEqual(sandbox.metadata, { from: 'docs' })
    assert.deepEqual(
      (await platform.api.list(account)).map(({ id }) => id),
      [sandbox.id],
    )
  })

  it('has asked this server only, and nothing was in its way', () => {
    assert.ok(browser.requested.includes(`${platform.api.url}/openapi.yaml`))
    assert.deepEqual(browser.refused, [])
    assert.deepEqual(browser.complaints, [])
  })

  it('could not reach another server if it tried', async () => {
    const outcome = await browser.page.evaluate(() =>
      fetch('https://example.com/').then(
        () => 'reached',
        () => 'refused',
      ),
    )
    assert.equal(outcome, 'refused')
    // By the page's own policy: the request was never made.
    assert.deepEqual(browser.refused, [])
    assert.match(browser.complaints.join(), /Content Security Policy/)
  })
})
