// The metrics, history and details of a sandbox in a browser, with a real VM.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { Locator } from 'playwright-core'
import { Api, type Account, type Credentials } from '../support/api.ts'
import { copied, pasteCurl } from '../support/clipboard.ts'
import { Dashboard } from '../support/dashboard.ts'
import { TestPlatform } from '../support/real-platform.ts'

const metadata = { env: 'prod', 'team/owner': `<b>bold</b> ${'long '.repeat(40)}`, none: '' }
/** More than two periods. */
const notAskedMs = 5_000

describe('the tabs of a sandbox', () => {
  let platform: TestPlatform
  let api: Api
  let account: Account
  let as: Credentials
  let id: string
  let dashboard: Dashboard

  before(async () => {
    platform = await TestPlatform.create()
    api = new Api(platform.url)
    account = await api.account()
    as = { apiKey: account.apiKey }
    id = (await api.create(as, { memory_mb: 256, timeout_sec: 3_600, metadata })).id
  })

  after(() => platform?.remove())

  beforeEach(async () => {
    dashboard = await Dashboard.open(platform.url)
  })

  afterEach(() => dashboard.close())

  const button = (name: string): Locator => dashboard.page.getByRole('button', { name, exact: true })
  const tab = (name: string): Promise<void> =>
    dashboard.page.getByRole('navigation', { name: 'Sandbox' }).getByRole('link', { name }).click()

  it('draws what is measured while somebody looks, and keeps it from tab to tab', async () => {
    const { page } = dashboard
    const cpu = page.getByRole('img', { name: /^CPU/ })
    await dashboard.signIn(account, `/sandboxes/${id}/metrics`)
    // Two samples make a line.
    await cpu.locator('path[d*="L"]').first().waitFor({ state: 'attached' })
    await page.getByRole('img', { name: /^CPU in the last 5 minutes: .+ % at last, between/ }).waitFor()
    await page.getByRole('img', { name: /^Memory .+ MiB at last/ }).waitFor()
    await page.getByText(/of 1 vCPU$/).waitFor()
    await dashboard.assertAccessible()

    // Busy, it shows.
    const body = { cmd: 'sh', args: ['-c', 'timeout 60 sh -c "while :; do :; done" >/dev/null 2>&1 &'] }
    await api.expect(200, 'execCommand', { as, params: { id }, body })
    await page.getByRole('img', { name: /^CPU.+and (?:[5-9]\d|100) %$/ }).waitFor()
    await dashboard.screenshots('metrics')
    await page.getByText('As a table').click()
    await page
      .getByRole('table', { name: /^Samples/ })
      .getByRole('row')
      .nth(1)
      .waitFor()
    await dashboard.assertAccessible()

    await tab('Details')
    await page.getByRole('heading', { name: 'Times' }).waitFor()
    await assert.rejects(page.waitForRequest(/\/metrics$/, { timeout: notAskedMs }), /Timeout/)
    await tab('Metrics')
    // At once, without a new sample: the curve of before.
    await cpu.locator('path[d*="L"]').first().waitFor({ state: 'attached' })

    const call = await copied(page, button('Copy as curl'))
    const answer = JSON.parse(await pasteCurl(call, account)) as { cpu_count: number }
    assert.equal(answer.cpu_count, 1)
  })

  it('says why nothing is measured, and goes on after a resume', async () => {
    const { page } = dashboard
    await dashboard.signIn(account, `/sandboxes/${id}/metrics`)
    await page.getByRole('img', { name: /^CPU .+ % at last/ }).waitFor()
    await api.expect(200, 'pauseSandbox', { as, params: { id } })
    await page.getByRole('heading', { name: 'The sandbox is paused' }).waitFor()
    // What was measured stays.
    await page.getByRole('img', { name: /^CPU .+ % at last/ }).waitFor()
    await dashboard.assertAccessible()
    await dashboard.screenshots('metrics-paused')
    await page.getByRole('main').getByRole('button', { name: 'Resume' }).last().click()
    await page.getByRole('heading', { name: 'The sandbox is paused' }).waitFor({ state: 'detached' })
    const sampled = page.waitForResponse((response) => response.url().endsWith('/metrics') && response.ok())
    await sampled
  })

  it('tells who did what, and goes on telling', async () => {
    const { page } = dashboard
    await dashboard.signIn(account, `/sandboxes/${id}/history`)
    const events = page.getByRole('list', { name: 'History' }).getByRole('listitem')
    await events.filter({ hasText: 'Created' }).getByText('with the API key “Unnamed API Key”').waitFor()
    await events.filter({ hasText: 'Resumed' }).getByText(`by ${account.email}`).waitFor()
    assert.equal(await button('Load older').count(), 0)
    await dashboard.assertAccessible()
    const before = await events.count()
    await api.expect(200, 'pauseSandbox', { as, params: { id } })
    await events.nth(before).waitFor()
    assert.match((await events.first().textContent()) ?? '', /Paused with the API key/)
    await dashboard.screenshots('history')
    await api.expect(200, 'resumeSandbox', { as, params: { id } })
    await events.nth(before + 1).waitFor()
    const call = await copied(page, button('Copy as curl'))
    const listed = JSON.parse(await pasteCurl(call, account)) as unknown[]
    assert.equal(listed.length, before + 2)
  })

  it('loads what is older when asked, and says when that fails', async () => {
    const { page } = dashboard
    const many = Array.from({ length: 60 }, (_, at) => ({
      id: String(60 - at),
      at: new Date(Date.now() - at * 3_600_000).toISOString(),
      type: at % 2 === 0 ? 'paused' : 'resumed',
      by: { kind: 'platform' },
      ...(at % 2 === 0 ? { reason: 'Nothing was asked of it for an hour' } : {}),
    }))
    // Sixty real pauses take minutes: the server's own paging has its tests.
    let failures = 1
    await page.route(/\/events\?/, async (route) => {
      const cursor = new URL(route.request().url()).searchParams.get('cursor')
      if (cursor !== null && failures-- > 0) {
        const error = { code: 'unavailable', message: 'The database is away' }
        await route.fulfill({ status: 503, json: { error } })
        return
      }
      const link = `</v1/sandboxes/${id}/events?cursor=50>; rel="next"`
      await route.fulfill({
        json: cursor === null ? many.slice(0, 50) : many.slice(50),
        headers: cursor === null ? { link } : {},
      })
    })
    dashboard.expectComplaint(/status of 503/)
    await dashboard.signIn(account, `/sandboxes/${id}/history`)
    const events = page.getByRole('list', { name: 'History' }).getByRole('listitem')
    await events.nth(49).waitFor()
    await button('Load older').click()
    await page.getByText('The database is away').waitFor()
    assert.equal(await events.count(), 50)
    await button('Load older').click()
    await events.nth(59).waitFor()
    await button('Load older').waitFor({ state: 'detached' })
    await dashboard.assertAccessible()
  })

  it('shows all that is known of it, and how to reach it', async () => {
    const { page } = dashboard
    await dashboard.signIn(account, `/sandboxes/${id}/details`)
    const fact = (name: string): Locator =>
      page
        .locator('dl > div')
        .filter({ has: page.getByText(name, { exact: true }) })
        .locator('dd')
    const { guest_ip: guestIp, template } = await api.get(as, id)
    assert.equal(await fact('Id').textContent(), id)
    assert.equal(await fact('Template').textContent(), template)
    assert.equal(await fact('Memory').textContent(), '256 MiB')
    assert.equal(await fact('Timeout').textContent(), 'paused after 1 h without activity')
    assert.equal(await fact('In the guest').textContent(), guestIp)
    assert.equal(await fact('team/owner').textContent(), metadata['team/owner'])
    await dashboard.assertAccessible()
    await dashboard.screenshots('details')
    assert.equal(
      await copied(page, page.getByRole('main').getByRole('button', { name: 'Copy the id' }).last()),
      id,
    )
    const call = await copied(page, button('Copy as curl'))
    assert.equal((JSON.parse(await pasteCurl(call, account)) as { id: string }).id, id)

    await api.expect(204, 'destroySandbox', { as, params: { id } })
    await fact('Status').getByText('stopped').waitFor()
    await fact('In the guest').getByText('none while it does not run').waitFor()
    await tab('Metrics')
    await page.getByRole('heading', { name: 'The sandbox is gone' }).waitFor()
    await dashboard.assertAccessible()
    await tab('Files')
    await page.getByRole('heading', { name: 'The sandbox is gone' }).waitFor()
  })
})
