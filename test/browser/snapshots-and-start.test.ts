// /snapshots and /start in a browser, with real VMs: snapshots come and go by themselves; the scripts of Get started are
// run as they are shown.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { run, type CommandError } from '@wrenn/base'
import type { Locator } from 'playwright-core'
import { Api, type Account } from '../support/api.ts'
import { buildSdk } from '../support/built-sdk.ts'
import { copied, pasteCurl } from '../support/clipboard.ts'
import { Dashboard } from '../support/dashboard.ts'
import { TestPlatform } from '../support/real-platform.ts'

const scriptTimeoutMs = 300_000

describe('on a real platform', () => {
  let platform: TestPlatform
  let api: Api
  let account: Account
  let dashboard: Dashboard

  before(async () => {
    platform = await TestPlatform.create()
    api = new Api(platform.url)
  })

  after(() => platform?.remove())

  beforeEach(async () => {
    account = await api.account()
    dashboard = await Dashboard.open(platform.url)
  })

  afterEach(() => dashboard.close())

  const button = (name: string): Locator => dashboard.page.getByRole('button', { name })
  const row = (text: string): Locator => dashboard.page.getByRole('row').filter({ hasText: text })

  describe('snapshots', () => {
    it('come by themselves, sandboxes are made from them, and live on when they are deleted', async () => {
      const { page } = dashboard
      await dashboard.signIn(account, '/snapshots')
      await page.getByText('No snapshots yet').waitFor()
      await row('minimal').waitFor()
      const base = button('Delete minimal')
      assert.equal(await base.getAttribute('aria-disabled'), 'true')
      await base.hover()
      await page.getByText('Base templates belong to the platform').last().waitFor()
      await page.mouse.move(0, 0)
      await dashboard.assertAccessible()
      await dashboard.screenshots('snapshots-empty')

      const { id } = await api.create(account)
      const body = { sandbox_id: id, name: 'with-all-my-tools' }
      await api.expect(201, 'createSnapshot', { as: account, body })
      await row(body.name).getByText('1 vCPU · 512 MiB').waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('snapshots')
      await page.getByRole('link', { name: `Create sandbox from ${body.name}` }).click()
      await page.waitForURL(`**/sandboxes?create=${body.name}`)
      await page.goBack()

      const copy = await api.create(account, { template: body.name })
      await button(`Delete ${body.name}`).click()
      await page.getByRole('alertdialog').getByText('live on').waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('snapshots-delete')
      const command = await copied(page, button('Copy as curl'))
      await button('Delete').last().click()
      await page.getByText('No snapshots yet').waitFor()
      await assert.rejects(pasteCurl(command, account), (error: CommandError) => error.code === 22)
      const params = { id: copy.id }
      await api.expect(200, 'execCommand', { as: account, params, body: { cmd: 'true' } })
      await api.expect(204, 'destroySandbox', { as: account, params })
    })

    it('that somebody else has deleted meanwhile are said to be gone', async () => {
      const { page } = dashboard
      dashboard.expectComplaint(/status of 404/)
      const template = {
        ...{ name: 'gone', type: 'snapshot', vcpus: 1, memory_mb: 512, size_bytes: 1 },
        created_at: new Date().toISOString(),
      }
      // As if the event of its end were still on its way.
      await page.route('**/v1/snapshots', (route) => route.fulfill({ json: [template] }))
      await dashboard.signIn(account, '/snapshots')
      await button('Delete gone').click()
      await button('Delete').last().click()
      await page.getByRole('alertdialog').getByRole('alert').getByText('There is no snapshot gone').waitFor()
    })
  })

  describe('get started', () => {
    let folder: string
    let running: Promise<unknown>[] = []

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'wrenn-start-'))
    })

    afterEach(async () => {
      await Promise.all(running)
      running = []
      await rm(folder, { recursive: true, force: true })
    })

    it('shows scripts that run as they are, with a key that is made there or pasted', async (t) => {
      const { page } = dashboard
      const [me, second, third] = [account, await api.account(), await api.account()]
      await dashboard.signIn(me, '/start')
      await page.getByRole('region', { name: 'Step 1', exact: true }).getByText('YOUR_API_KEY').waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('start')
      await button('Create a key').click()
      await page.getByText('is filled in below').waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('start-with-key')
      const curl = start('sh', await shownScript('curl', 'first-steps.sh'))

      await pasteKey(second)
      const sdk = await buildSdk()
      t.after(() => sdk.remove())
      const path = await shownScript('TypeScript', 'first-steps.mts', sdk.folder)
      await dashboard.screenshots('start-typescript')
      const typescript = start(process.execPath, path)

      await pasteKey(third)
      const script = await shownScript('Python', 'first-steps.py')
      await dashboard.screenshots('start-python')
      const python = (await hasPython()) ? start('python3', script) : undefined

      const said = (await curl).stdout
      assert.match(said, /"id":"sb-.*\n.*"stdout":"42\\n".*\nimport time\n/)
      assert.match(said, /\nline 1\nline 2\nline 3\ndone\n/)
      assert.match(said, /"status":"paused".*\n.*"status":"running"/)
      assert.match(said, /"name":"first-steps".*\n.*"stdout":"count.py\\nlog\\n".*\nNothing is left.\n$/)
      assertSteps((await typescript).stdout)
      if (python) assertSteps((await python).stdout)
      else {
        t.diagnostic('no python3 on this machine: the script is compiled in a sandbox, and not run')
        await compileInSandbox(script)
      }
      for (const each of [me, second, third]) await assertNothingLeft(each)
    })

    it('keeps the key in memory alone, for as long as the page lives', async () => {
      const { page } = dashboard
      const link = (name: string): Locator => page.getByRole('navigation').getByRole('link', { name })
      await dashboard.signIn(account, '/start')
      await page.getByLabel('Or paste one of yours').fill('wrn_short')
      await page.getByText('This is no key').waitFor()
      await button('Create a key').click()
      await page.getByText('is filled in below').waitFor()
      await link('API keys').click()
      await row('Get started').waitFor()
      await link('Get started').click()
      await page.getByText('is filled in below').waitFor()
      const stored = await page.evaluate<string>('JSON.stringify([{...localStorage}, {...sessionStorage}])')
      assert.ok(!stored.includes('wrn_'))
      await page.reload()
      await button('Create a key').waitFor()
    })

    /** Its end is waited for, whatever becomes of the test. */
    function start(command: string, path: string): Promise<{ stdout: string }> {
      const script = run(command, [path], { cwd: folder, timeoutMs: scriptTimeoutMs })
      running.push(script.catch(() => undefined))
      return script
    }

    async function pasteKey({ apiKey }: Account): Promise<void> {
      await button('Use another').click()
      await dashboard.page.getByLabel('Or paste one of yours').fill(apiKey)
      await dashboard.page.getByText('is filled in below').waitFor()
    }

    /** The whole script, as it is shown, in a file of that name. */
    async function shownScript(language: string, name: string, into = folder): Promise<string> {
      await dashboard.page.getByRole('tab', { name: language }).click()
      const code = dashboard.page.getByRole('region', { name: 'The whole script' })
      const script = (await code.textContent()) ?? ''
      assert.equal(await copied(dashboard.page, button('Copy all as one script')), script)
      const path = join(into, name)
      await writeFile(path, script)
      return path
    }

    function assertSteps(output: string): void {
      assert.match(output, /^created sb-\w+\n0 42\n\nimport time\n/)
      assert.match(
        output,
        /\nline 1\nline 2\nline 3\nexit 0\npaused running\ncount.py\n\nNothing is left.\n$/,
      )
    }

    async function assertNothingLeft(as: Account): Promise<void> {
      assert.deepEqual(await api.list(as), [])
      const templates = await api.expect<{ name: string }[]>(200, 'listSnapshots', {
        as,
        query: 'type=snapshot',
      })
      assert.deepEqual(templates, [])
    }

    async function hasPython(): Promise<boolean> {
      const { stdout } = await run('sh', ['-c', 'command -v python3 || true'])
      return stdout !== ''
    }

    /** Guests do not reach the host: that is the isolation that they are there for. */
    async function compileInSandbox(path: string): Promise<void> {
      const { id } = await api.create(account)
      const params = { id }
      const program = 'import sys; compile(sys.stdin.read(), "script", "exec")'
      const body = { cmd: 'python3', args: ['-c', program], stdin: await readFile(path, 'utf8') }
      const call = { as: account, params, body }
      const result = await api.expect<{ exit_code: number; stderr: string }>(200, 'execCommand', call)
      assert.equal(result.exit_code, 0, result.stderr)
      await api.expect(204, 'destroySandbox', { as: account, params })
    }
  })
})
