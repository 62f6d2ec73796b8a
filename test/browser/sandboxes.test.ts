// The list of sandboxes and what can be done to them, in a browser, on a platform with real VMs.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { pollUntil, run } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Locator } from 'playwright-core'
import { Api, type Account, type Credentials } from '../support/api.ts'
import { Dashboard } from '../support/dashboard.ts'
import { TestPlatform } from '../support/real-platform.ts'

type Sandbox = PublicSchemas['Sandbox']
type Template = PublicSchemas['Template']

const maxRunning = 3
const timeoutMs = 60_000
const small = { memory_mb: 256 }

describe('sandboxes', () => {
  let platform: TestPlatform
  let api: Api
  let account: Account
  let as: Credentials
  let dashboard: Dashboard

  before(async () => {
    // A sandbox with the memory of the whole machine has no room, and that is said; others have.
    platform = await TestPlatform.create({
      TEAM_MAX_RUNNING: String(maxRunning),
      WRENN_MEMORY_OVERCOMMIT: '1',
    })
    api = new Api(platform.url)
    account = await api.account()
    as = { apiKey: account.apiKey }
    dashboard = await Dashboard.open(platform.url)
  })

  after(async () => {
    try {
      await dashboard?.close()
    } finally {
      await platform?.remove()
    }
  })

  afterEach(async () => {
    for (const { id } of await api.list(as)) await api.expect(204, 'destroySandbox', { as, params: { id } })
    dashboard.assertQuiet()
  })

  const button = (name: string | RegExp): Locator =>
    dashboard.page.getByRole('button', { name, exact: typeof name === 'string' })
  const rowOf = (id: string): Locator => dashboard.page.getByRole('row').filter({ hasText: id })
  const select = (id: string): Promise<void> =>
    dashboard.page.getByRole('checkbox', { name: `Select ${id}` }).click()
  const status = async (id: string): Promise<string> => (await api.get(as, id)).status

  const statusBecomes = (id: string, wanted: Sandbox['status']): Promise<true> =>
    pollUntil(
      `${id} is ${wanted}`,
      async () => ((await status(id)) === wanted ? (true as const) : undefined),
      { timeoutMs },
    )

  /** In the list: opens the row's menu and chooses. */
  async function choose(id: string, item: string): Promise<void> {
    await button(`Actions on ${id}`).click()
    await dashboard.page.getByRole('menuitem', { name: item, exact: true }).click()
  }

  async function chooseOption(field: string, option: string | RegExp): Promise<void> {
    await dashboard.page.getByRole('combobox', { name: field }).click()
    await dashboard.page.getByRole('option', { name: option }).click()
  }

  it('appear, change and go by themselves, whoever made, paused or destroyed them', async () => {
    const { page } = dashboard
    await dashboard.signIn(account)
    await page.getByRole('heading', { name: 'No sandboxes yet' }).waitFor()
    await dashboard.assertAccessible()
    await dashboard.screenshots('sandboxes-empty')

    const metadata = { env: 'prod', 'team/owner': `ci ${'x'.repeat(200)}` }
    const kept = await api.create(as, { ...small, metadata })
    const idle = await api.create(as, { ...small, timeout_sec: 1 })
    await rowOf(kept.id).getByText('running').waitFor()
    await rowOf(kept.id).getByText('env=prod').waitFor()
    await rowOf(kept.id).getByText('1 vCPU, 256 MiB').waitFor()
    await rowOf(idle.id).getByText('pause after 1 s').waitFor()
    await rowOf(idle.id).getByText('It was idle for 1 s').waitFor()
    // Its idle time counts without anything being asked.
    const seconds = async (): Promise<number> =>
      Number.parseInt(
        await rowOf(kept.id)
          .getByTitle(/^since /)
          .innerText(),
        10,
      )
    const first = await seconds()
    await pollUntil('the idle time grows', async () => ((await seconds()) > first ? true : undefined), {
      timeoutMs,
    })
    await dashboard.assertAccessible()
    await dashboard.screenshots('sandboxes')

    await api.expect(204, 'destroySandbox', { as, params: { id: idle.id } })
    await rowOf(idle.id).waitFor({ state: 'detached' })
    await rowOf(kept.id).waitFor()
  })

  it('are filtered by text and status, and the URL says so', async () => {
    const { page } = dashboard
    const prod = await api.create(as, { ...small, metadata: { env: 'prod' } })
    const test = await api.create(as, { ...small, metadata: { env: 'test' }, timeout_sec: 1 })
    await statusBecomes(test.id, 'paused')
    await dashboard.signIn(account)
    await rowOf(prod.id).waitFor()
    await page.getByRole('searchbox', { name: 'Filter by text' }).fill('env=prod minimal')
    await rowOf(test.id).waitFor({ state: 'detached' })
    await rowOf(prod.id).waitFor()
    await button(/^paused/i).click()
    await page.getByRole('heading', { name: 'No sandbox matches' }).waitFor()
    await page.waitForURL(/\?(?=.*status=paused)(?=.*q=env)/)
    await page.reload()
    assert.equal(await page.getByRole('searchbox').inputValue(), 'env=prod minimal')
    await page.getByRole('heading', { name: 'No sandbox matches' }).waitFor()
    await button('Show all').click()
    await rowOf(prod.id).waitFor()
    await rowOf(test.id).waitFor()
    await page.waitForURL(/\/sandboxes$/)
    // By link: whoever follows it sees the same.
    await button(/^paused/i).click()
    await rowOf(prod.id).waitFor({ state: 'detached' })
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Sandboxes' }).click()
    await rowOf(prod.id).waitFor()
  })

  it('are created with what was asked for, once, and opened; what is refused is said at its field', async () => {
    const { page } = dashboard
    // Browsers log the refusal.
    dashboard.expectComplaint(/status of 400/)
    await dashboard.signIn(account)
    await button('Create sandbox').first().click()
    const dialog = page.getByRole('dialog', { name: 'Create a sandbox' })
    await dialog.getByText(/^Up to \d+ |Up to .* GiB/).waitFor()
    await page.waitForURL(/create=/)
    await dashboard.assertAccessible()
    await dashboard.screenshots('sandboxes-create')

    await dialog.getByRole('textbox', { name: 'Memory' }).fill('256')
    await chooseOption('When idle for', 'Another time…')
    await dialog.getByRole('textbox', { name: 'Idle time' }).fill('90')
    await chooseOption('Unit', 'minutes')
    await chooseOption('Then', /^Destroy it/)
    await dialog.getByRole('button', { name: 'Add a pair' }).click()
    await dialog.getByRole('textbox', { name: 'Name 1' }).fill('not a name')
    await dialog.getByRole('textbox', { name: 'Value 1' }).fill('prod')
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await dialog.getByText(/^metadata: the name "not a name" must be/).waitFor()
    const focused = dialog.getByRole('textbox', { name: 'Name 1' }).and(page.locator(':focus'))
    await focused.waitFor()
    await dashboard.assertAccessible()

    await focused.fill('env')
    // Impatience, and an answer that is lost on the way.
    dashboard.expectComplaint(/ERR_FAILED/)
    let requests = 0
    await page.route('**/v1/sandboxes', async (route) => {
      requests += 1
      if (requests > 1) return route.continue()
      assert.equal((await route.fetch()).status(), 201)
      await route.abort()
    })
    await dialog.getByRole('button', { name: 'Create', exact: true }).dblclick()
    await page.waitForURL(/\/sandboxes\/sb-[a-z0-9]+$/)
    await page.unrouteAll()
    assert.equal(requests, 2)
    const [made, ...others] = await api.list(as)
    assert.deepEqual(others, [])
    assert.ok(made && page.url().endsWith(made.id))
    const { vcpus, memory_mb, timeout_sec, on_timeout, metadata } = made
    assert.deepEqual(
      { vcpus, memory_mb, timeout_sec, on_timeout, metadata },
      { vcpus: 1, memory_mb: 256, timeout_sec: 5_400, on_timeout: 'destroy', metadata: { env: 'prod' } },
    )
    await page.getByRole('heading', { level: 1, name: made.id }).waitFor()
  })

  it('are not created without room or beyond the limit, and nothing that was typed is lost', async () => {
    const { page } = dashboard
    dashboard.expectComplaint(/status of (403|404|503)/)
    await dashboard.signIn(account, '/sandboxes?create=no-such-template')
    const dialog = page.getByRole('dialog', { name: 'Create a sandbox' })
    const create = dialog.getByRole('button', { name: 'Create', exact: true })
    await dialog.getByText('There is no template no-such-template: choose another').waitFor()
    await create.click()
    await dialog.getByText('There is no template no-such-template', { exact: true }).waitFor()
    await chooseOption('Template', /^minimal/)

    await dialog.getByText(/GiB$/).waitFor()
    const { agent } = await api.expect<PublicSchemas['Health']>(200, 'health')
    const all = (agent.memory_mib ?? 0) - ((agent.memory_mib ?? 0) % 128)
    await dialog.getByRole('textbox', { name: 'Memory' }).fill(String(all))
    await create.click()
    await dialog.getByText(/^This host has no room for/).waitFor()

    for (let made = 0; made < maxRunning; made += 1) await api.create(as, small)
    await dialog.getByRole('textbox', { name: 'Memory' }).fill('256')
    await create.click()
    await dialog.getByText(/at most 3 are allowed: pause or destroy one of them/).waitFor()
    const [first] = await api.list(as)
    assert.ok(first)
    await api.expect(204, 'destroySandbox', { as, params: { id: first.id } })
    await create.click()
    await page.waitForURL(/\/sandboxes\/sb-[a-z0-9]+$/)
    assert.equal((await api.list(as)).length, maxRunning)
  })

  it('are paused, resumed and destroyed from their row, which says what is not possible and why', async () => {
    const { page } = dashboard
    const { id } = await api.create(as, small)
    await dashboard.signIn(account)
    await button(`Actions on ${id}`).click()
    const resume = page.getByRole('menuitem', { name: /^Resume/ })
    await resume.getByText('The sandbox is running; resume needs it paused').waitFor()
    assert.equal(await resume.getAttribute('aria-disabled'), 'true')
    await page
      .getByRole('menuitem', { name: /^Keep alive/ })
      .getByText('no timeout')
      .waitFor()
    await dashboard.assertAccessible()
    await page.getByRole('menuitem', { name: 'Pause', exact: true }).click()
    await page.getByText(`Paused: ${id}`).waitFor()
    await rowOf(id).getByText('paused', { exact: true }).waitFor()
    assert.equal(await status(id), 'paused')
    await choose(id, 'Resume')
    await rowOf(id).getByText('running').waitFor()
    assert.equal(await status(id), 'running')

    await choose(id, 'Destroy…')
    const dialog = page.getByRole('alertdialog', { name: 'Destroy this sandbox?' })
    await dialog.getByText(id).waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    assert.equal(await status(id), 'running')
    await choose(id, 'Destroy…')
    await dialog.getByRole('button', { name: 'Destroy' }).click()
    await page.getByRole('heading', { name: 'No sandboxes yet' }).waitFor()
    assert.equal(await status(id), 'stopped')
  })

  it('say what the server refuses when their state has changed in between', async () => {
    const { page } = dashboard
    dashboard.expectComplaint(/status of 409/)
    const { id } = await api.create(as, small)
    await dashboard.signIn(account)
    await rowOf(id).waitFor()
    // As if another click had come first, and its event not yet.
    await page.route(`**/${id}/pause`, async (route) => {
      await api.expect(200, 'pauseSandbox', { as, params: { id } })
      await route.continue()
    })
    await choose(id, 'Pause')
    const notices = page.getByRole('region', { name: 'Notifications' })
    await notices.getByText(`Could not pause ${id}`).waitFor()
    await notices.getByText(/is paused; pause needs it running \(request [\w-]+\)/).waitFor()
    await rowOf(id).getByText('paused', { exact: true }).waitFor()
  })

  it('are paused and destroyed many at once, and each that could not be says why', async () => {
    const { page } = dashboard
    const paused = await api.create(as, small)
    await api.expect(200, 'pauseSandbox', { as, params: { id: paused.id } })
    const running = [await api.create(as, small), await api.create(as, small)]
    await dashboard.signIn(account)
    await select(paused.id)
    const bar = page.getByRole('region', { name: 'Selected sandboxes' })
    const inBar = (name: string): Locator => bar.getByRole('button', { name, exact: true })
    assert.equal(await inBar('Pause').getAttribute('aria-disabled'), 'true')
    await page.getByRole('checkbox', { name: 'Select all' }).click()
    await bar.getByText('3 selected').waitFor()

    await inBar('Pause').click()
    await bar.getByText('2 paused, 1 could not').waitFor()
    await bar.getByText(`${paused.id}: The sandbox is paused; pause needs it running`).waitFor()
    await bar.getByText('1 selected').waitFor()
    assert.ok(await page.getByRole('checkbox', { name: `Select ${paused.id}` }).isChecked())
    for (const { id } of running) assert.equal(await status(id), 'paused')
    await dashboard.assertAccessible()
    await dashboard.screenshots('sandboxes-outcome')

    await select(running[0]?.id ?? '')
    await inBar('Destroy').click()
    const dialog = page.getByRole('alertdialog', { name: 'Destroy 2 sandboxes?' })
    await dashboard.assertAccessible()
    await dialog.getByRole('button', { name: 'Destroy' }).click()
    await bar.getByText('2 destroyed', { exact: true }).waitFor()
    const left = await api.list(as)
    assert.deepEqual(
      left.map(({ id }) => id),
      [running[1]?.id],
    )
  })

  it('become snapshots, which replace others of their name when asked, and sandboxes again', async () => {
    const { page } = dashboard
    dashboard.expectComplaint(/status of 409/)
    const old = await api.create(as, small)
    await api.expect(201, 'createSnapshot', { as, body: { sandbox_id: old.id, name: 'saved' } })
    const { id } = await api.create(as, small)
    const marker = { cmd: 'sh', args: ['-c', 'echo new > /root/marker'] }
    await api.expect(200, 'execCommand', { as, params: { id }, body: marker })

    await dashboard.signIn(account, `/sandboxes/${id}`)
    await button('Snapshot').click()
    const dialog = page.getByRole('dialog', { name: 'Save as a snapshot' })
    await dialog.getByText('The sandbox itself is destroyed afterwards.').waitFor()
    await dialog.getByRole('textbox', { name: 'Name' }).fill('saved')
    await dashboard.assertAccessible()
    await dialog.getByRole('button', { name: 'Save and destroy' }).click()
    await dialog.getByText('There is a snapshot saved', { exact: true }).waitFor()
    await dashboard.screenshots('sandbox-snapshot')
    await dialog.getByRole('button', { name: 'Replace it' }).click()
    await page.getByText('Saved the snapshot saved').waitFor()
    await page.getByRole('heading', { level: 1 }).getByText('stopped').waitFor()
    await button('Snapshot').and(page.locator('[aria-disabled=true]')).waitFor()

    await dashboard.goto('/sandboxes?create=saved')
    await page.getByText(/^The snapshot fixes both/).waitFor()
    const memory = page.getByRole('textbox', { name: 'Memory' })
    assert.equal(await memory.inputValue(), '256')
    assert.ok(await memory.isDisabled())
    await button('Create').click()
    await page.waitForURL(/\/sandboxes\/sb-[a-z0-9]+$/)
    const made = page.url().split('/').at(-1) ?? ''
    const read = { cmd: 'cat', args: ['/root/marker'] }
    const { stdout } = await api.expect<PublicSchemas['ExecResponse']>(200, 'execCommand', {
      as,
      params: { id: made },
      body: read,
    })
    assert.equal(stdout, 'new\n')
    const templates = await api.expect<Template[]>(200, 'listSnapshots', { as, query: 'type=snapshot' })
    assert.deepEqual(
      templates.map(({ name }) => name),
      ['saved'],
    )
  })

  it('have a page whose heading follows what is done to them, here or elsewhere', async () => {
    const { page } = dashboard
    const { id } = await api.create(as, { ...small, timeout_sec: 3_600, metadata: { env: 'prod' } })
    await dashboard.signIn(account, `/sandboxes/${id}`)
    const heading = page.getByRole('heading', { level: 1, name: id })
    await heading.getByText('running').waitFor()
    await page.getByText('timeout: pause after 1 h').waitFor()
    await dashboard.assertAccessible()
    await dashboard.screenshots('sandbox')
    await button('More actions').click()
    await page.getByRole('menuitem', { name: 'Keep alive' }).click()
    await page.getByText(`Kept alive: ${id}`).waitFor()
    await api.expect(200, 'pauseSandbox', { as, params: { id } })
    await heading.getByText('paused').waitFor()
    await button('Pause').and(page.locator('[aria-disabled=true]')).waitFor()
    await button('Resume').first().click()
    await heading.getByText('running').waitFor()
    assert.equal(await status(id), 'running')
    await api.expect(204, 'destroySandbox', { as, params: { id } })
    await heading.getByText('stopped').waitFor()
  })

  it('do from a shell what is copied as curl', async () => {
    const { page } = dashboard
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const { id } = await api.create(as, small)
    await dashboard.signIn(account)
    await choose(id, 'Copy as curl')
    await page.getByRole('menu', { name: 'Copy as curl' }).getByRole('menuitem', { name: 'Pause' }).click()
    await page.getByText('Copied', { exact: true }).waitFor()
    const command = String(await page.evaluate('navigator.clipboard.readText()'))
    await run('bash', ['-c', `${command} -sSf`], {
      timeoutMs,
      env: { ...process.env, WRENN_API_KEY: account.apiKey },
    })
    await rowOf(id).getByText('paused', { exact: true }).waitFor()
    assert.equal(await status(id), 'paused')
  })

  it('are told from what could not be read, with the way to try again', async () => {
    const { page } = dashboard
    dashboard.expectComplaint(/status of 500/)
    const { id } = await api.create(as, small)
    const body = { error: { code: 'internal_error', message: 'Something is broken' } }
    await page.route('**/v1/sandboxes?*', (route) =>
      route.fulfill({ status: 500, json: body, headers: { 'x-request-id': 'request-1' } }),
    )
    await dashboard.signIn(account)
    await page.getByText('The sandboxes could not be loaded').waitFor()
    await page.getByText('Something is broken').waitFor()
    await page.getByText('request-1').waitFor()
    await dashboard.assertAccessible()
    await page.unrouteAll()
    await button('Try again').click()
    await rowOf(id).waitFor()
  })
})
