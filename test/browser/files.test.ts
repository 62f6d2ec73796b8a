// The files of a sandbox in a browser, with a real VM: what is there, whatever it is called; editing; moving things in,
// out and around; and what happens when the sandbox has its own will.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Download, Locator } from 'playwright-core'
import { Api, type Account, type Credentials } from '../support/api.ts'
import { copied, pasteCurl } from '../support/clipboard.ts'
import { Dashboard } from '../support/dashboard.ts'
import { TestPlatform } from '../support/real-platform.ts'

const diskMb = 256
const timeoutMs = 30_000
/** Name, and how it is shown. */
const oddNames = [
  ['a  b ', 'a  b '],
  [`it's "quoted"`, `it's "quoted"`],
  ['🐦 größer', '🐦 größer'],
  ['two\nlines', 'two⟨LF⟩lines'],
  ['<script>alert(1)<', '<script>alert(1)<'],
  ['gpj.\u202etxt', 'gpj.⟨U+202E⟩txt'],
] as const

describe('the files of a sandbox', () => {
  let platform: TestPlatform
  let api: Api
  let account: Account
  let as: Credentials
  let id: string
  let dashboard: Dashboard
  let local: string

  before(async () => {
    local = await mkdtemp(join(tmpdir(), 'wrenn-files-'))
    platform = await TestPlatform.create({ WRENN_DISK_MB: String(diskMb) })
    api = new Api(platform.url)
    account = await api.account()
    as = { apiKey: account.apiKey }
    id = (await api.create(as, { memory_mb: 256 })).id
  })

  after(async () => {
    await platform?.remove()
    await rm(local, { recursive: true, force: true })
  })

  /** One for the tests of a group: each begins with another page. */
  function sharesBrowser(): void {
    before(async () => {
      dashboard = await Dashboard.open(platform.url)
      await dashboard.signIn(account)
    })
    afterEach(() => dashboard.assertQuiet())
    after(() => dashboard?.close())
  }

  /** In a shell of the sandbox; returns what it printed. */
  async function sh(script: string): Promise<string> {
    const body = { cmd: 'sh', args: ['-ec', script] }
    const params = { id }
    const result = await api.expect<PublicSchemas['ExecResponse']>(200, 'execCommand', { as, params, body })
    assert.equal(result.exit_code, 0, result.stderr)
    return result.stdout
  }

  /** With so much room and no more. */
  async function onFullDisk(roomMib: number, work: () => Promise<void>): Promise<void> {
    try {
      // Nearly all at once, which is quick, then what is left for sure.
      await sh(`cd /root
        fallocate -l $(($(df --output=avail -BM . | tail -n 1 | tr -d M) - 4))M .filler
        dd if=/dev/zero of=.filler bs=64k oflag=append conv=notrunc 2>/dev/null || true
        truncate -s -${roomMib}M .filler`)
      await work()
    } finally {
      await sh('rm -f /root/.filler')
    }
  }

  const open = (path: string): Promise<void> =>
    dashboard.goto(`/sandboxes/${id}/files?path=${encodeURIComponent(path)}`)
  const button = (name: string | RegExp): Locator =>
    dashboard.page.getByRole('button', { name, exact: typeof name === 'string' })
  const dialog = (): Locator => dashboard.page.getByRole('dialog').or(dashboard.page.getByRole('alertdialog'))
  const rows = (): Locator => dashboard.page.getByRole('table', { name: 'Files' }).getByRole('row')
  const link = (name: string): Locator =>
    dashboard.page.getByRole('table', { name: 'Files' }).getByRole('link', { name, exact: true })
  const editor = (): Locator => dashboard.page.getByRole('textbox', { name: /^Content of/ })
  const isLive = (): Promise<void> => dashboard.page.getByText('Live', { exact: true }).waitFor()
  const transfers = (): Locator => dashboard.page.getByRole('region', { name: 'Transfers' })

  const pathBecomes = (path: string): Promise<true> =>
    pollUntil(
      `the address is ${path}`,
      () => (new URL(dashboard.page.url()).searchParams.get('path') === path ? true : undefined),
      { timeoutMs },
    )

  async function choose(name: string, action: string): Promise<void> {
    await button(`Actions on ${name}`).click()
    await dashboard.page.getByRole('menuitem', { name: action, exact: true }).click()
  }

  describe('a folder', () => {
    sharesBrowser()

    it('shows what is in it as it is, whatever it is called, and leads there', async () => {
      const { page } = dashboard
      for (const [name] of oddNames)
        await api.expect(201, 'makeDirectory', { as, params: { id }, body: { path: `/root/odd/${name}` } })
      await sh(`cd /root/odd; echo hello > a.txt; chmod 640 a.txt; chown nobody a.txt
        ln -s /usr/share shared; ln -s nowhere lost; echo > .hidden; mkfifo pipe`)
      await open('/root/odd')
      for (const [name, shown] of oddNames) {
        const element = link(shown)
        await element.waitFor()
        assert.equal((await element.textContent()) ?? '', shown)
        await element.click()
        await pathBecomes(`/root/odd/${name}`)
        await page.getByRole('heading', { name: 'This folder is empty' }).waitFor()
        await page.goBack()
      }
      const row = rows().filter({ hasText: 'a.txt' })
      const cells = await row.getByRole('cell').allTextContents()
      assert.ok(
        cells.some((text) => text.endsWith('-rw-r-----')),
        cells.join('|'),
      )
      assert.ok(
        cells.some((text) => text.endsWith('nobody:root')),
        cells.join('|'),
      )
      assert.ok(
        cells.some((text) => text.endsWith('6 B')),
        cells.join('|'),
      )
      await rows().filter({ hasText: 'shared' }).getByText('→ /usr/share').waitFor()
      assert.equal(await link('.hidden').count(), 0)
      await page.getByRole('checkbox', { name: 'Hidden files' }).click()
      await link('.hidden').waitFor()
      // Folders first.
      const names = await rows().getByRole('link').allTextContents()
      assert.deepEqual(names.slice(-4), ['.hidden', 'a.txt', 'lost', 'shared'])
      await isLive()
      await dashboard.assertAccessible()
      await dashboard.screenshots('files')

      await link('shared').click()
      await pathBecomes('/usr/share')
      await page.goBack()
      await link('lost').click()
      await page.getByRole('heading', { name: 'This is not there' }).waitFor()
      dashboard.expectComplaint(/status of 404/)
      await dashboard.assertAccessible()
      await page.getByRole('link', { name: 'Go to /root/odd' }).click()
      await link('a.txt').waitFor()
    })

    it('is walked through by keyboard, breadcrumb and address', async () => {
      const { page } = dashboard
      await sh('mkdir -p /root/walk/one/two; echo 1 > /root/walk/one/two/three.txt')
      await open('/root/walk')
      await link('one').focus()
      await page.keyboard.press('Enter')
      await link('two').focus()
      await page.keyboard.press('Enter')
      await link('three.txt').waitFor()
      await page.getByRole('navigation', { name: 'Path' }).getByRole('link', { name: 'walk' }).click()
      await pathBecomes('/root/walk')
      await button('Edit the path').click()
      const field = page.getByRole('textbox', { name: 'Path' })
      await field.fill('one/./two/../two/three.txt')
      await field.press('Enter')
      await pathBecomes('/root/walk/one/two/three.txt')
      await editor().waitFor()
      assert.equal(await editor().inputValue(), '1\n')
      await page.goBack()
      await link('one').waitFor()
      const call = await copied(page, button('Copy as curl'))
      const listed = JSON.parse(await pasteCurl(call, account)) as { name: string }[]
      assert.deepEqual(
        listed.map(({ name }) => name),
        ['one'],
      )
    })

    it('changes by itself, and says when it is gone', async () => {
      const { page } = dashboard
      dashboard.expectComplaint(/status of 404/)
      await sh('mkdir -p /root/live/below')
      await open('/root/live/below')
      await page.getByRole('heading', { name: 'This folder is empty' }).waitFor()
      await isLive()
      await dashboard.assertAccessible()
      await sh('cd /root/live/below; echo 1 > made; mkdir folder')
      await link('made').waitFor()
      await sh('mv /root/live/below/made /root/live/below/renamed')
      await link('renamed').waitFor()
      assert.equal(await link('made').count(), 0)
      await sh('rm -r /root/live/below')
      await page.getByRole('heading', { name: 'This is not there' }).waitFor()
      // Reading it again is a press away, should it come back.
      await sh('mkdir /root/live/below; echo > /root/live/below/again')
      await button('Reload').click()
      await link('again').waitFor()
      await sh('rm -r /root/live/below')
      await page.getByRole('link', { name: 'Go to /root/live' }).click()
      await page.getByRole('heading', { name: 'This folder is empty' }).waitFor()
    })

    it('of ten thousand entries is shown a page at a time, and narrowed by name', async () => {
      const { page } = dashboard
      await sh('mkdir /root/many; cd /root/many; seq -f "f%g" 10000 | xargs touch')
      await open('/root/many')
      await page.getByText('1 to 100 of 10000').waitFor()
      assert.equal(await rows().count(), 101)
      // As people count.
      await link('f2').waitFor()
      await button('Next').click()
      await link('f101').waitFor()
      await page.getByRole('searchbox', { name: 'Filter by name' }).fill('F999')
      await link('f9990').waitFor()
      assert.equal(await rows().count(), 12)
      await sh('touch /root/many/f9999999')
      await link('f9999999').waitFor()
      await dashboard.screenshots('files-many')
    })

    it('says why there is nothing while the sandbox is paused, and resumes it', async () => {
      const { page } = dashboard
      // The page of before asks once more, and may be faster than the news of the pause.
      dashboard.expectComplaint(/status of 409/)
      await api.expect(200, 'pauseSandbox', { as, params: { id } })
      await open('/root')
      await page.getByRole('heading', { name: 'The sandbox is paused' }).waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('files-paused')
      await page.locator('main').getByRole('button', { name: 'Resume' }).last().click()
      await rows().first().waitFor()
    })
  })

  describe('an editor', () => {
    sharesBrowser()

    const content = (): Promise<string> => editor().inputValue()

    /** Past what the test types: as a person would. */
    async function edit(text: string): Promise<void> {
      await editor().focus()
      await dashboard.page.keyboard.press('Control+End')
      await dashboard.page.keyboard.type(text)
    }

    it('makes, indents, saves by key, and keeps line ends', async () => {
      const { page } = dashboard
      await sh('mkdir -p /root/edit; printf "a\\r\\nb" > /root/edit/dos.txt')
      await open('/root/edit')
      await button('New file').click()
      await dialog().getByRole('textbox', { name: 'Name' }).fill('dos.txt')
      await dialog().getByRole('button', { name: 'Create' }).click()
      await dialog().getByText('There is something of this name already').waitFor()
      await dashboard.assertAccessible()
      await dialog().getByRole('textbox', { name: 'Name' }).fill('new file.py')
      await dialog().getByRole('button', { name: 'Create' }).click()
      dashboard.expectComplaint(/status of 404/)
      await pathBecomes('/root/edit/new file.py')
      await editor().waitFor()
      assert.match(await sh('wc -c "/root/edit/new file.py"'), /^0 /)

      await edit('def f():\n')
      await page.keyboard.press('Tab')
      await page.keyboard.type('x = 1\nreturn x')
      assert.equal(await content(), 'def f():\n    x = 1\n    return x')
      await page.keyboard.press('Shift+Tab')
      assert.equal(await content(), 'def f():\n    x = 1\nreturn x')
      await page.keyboard.press('Control+z')
      assert.equal(await content(), 'def f():\n    x = 1\n    return x')
      await page.getByText('not saved').waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('files-editor')
      await page.keyboard.press('Control+s')
      await page.getByText('not saved').waitFor({ state: 'detached' })
      assert.equal(await sh('cat "/root/edit/new file.py"'), 'def f():\n    x = 1\n    return x')
      // No keyboard trap.
      await page.keyboard.press('Escape')
      await page.keyboard.press('Tab')
      assert.notEqual(
        await page.locator(':focus').getAttribute('aria-label'),
        'Content of /root/edit/new file.py',
      )

      await open('/root/edit/dos.txt')
      await edit('\nc')
      await button('Save').click()
      await page.getByText('not saved').waitFor({ state: 'detached' })
      assert.equal(await sh('cat /root/edit/dos.txt'), 'a\r\nb\r\nc')
    })

    it('asks before what is typed is lost', async () => {
      const { page } = dashboard
      await sh('mkdir -p /root/guard; echo 1 > /root/guard/a.txt')
      await open('/root/guard/a.txt')
      await edit('mine')
      await page.getByRole('link', { name: 'guard' }).click()
      await dialog().getByText('Leave without saving?').waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('files-leave')
      await dialog().getByRole('button', { name: 'Keep editing' }).click()
      assert.equal(await content(), '1\nmine')
      await page.getByRole('link', { name: 'guard' }).click()
      await dialog().getByRole('button', { name: 'Discard the changes' }).click()
      await link('a.txt').click()
      assert.equal(await content(), '1\n')
    })

    it('follows the file, and lets choose when both have changed', async () => {
      const { page } = dashboard
      dashboard.expectComplaint(/status of 404/)
      await sh('mkdir -p /root/both; echo 1 > /root/both/a.txt')
      await open('/root/both/a.txt')
      await editor().waitFor()
      await isLive()
      await sh('echo 2 > /root/both/a.txt')
      await pollUntil('the editor follows', async () => ((await content()) === '2\n' ? true : undefined), {
        timeoutMs,
      })
      await edit('mine')
      await sh('echo 3 > /root/both/a.txt')
      await page.getByText('This file was changed in the sandbox').waitFor()
      assert.equal(await content(), '2\nmine')
      assert.equal(await button('Save').getAttribute('aria-disabled'), 'true')
      await dashboard.assertAccessible()
      await dashboard.screenshots('files-conflict')
      await button('Overwrite with mine').click()
      await page.getByText('not saved').waitFor({ state: 'detached' })
      assert.equal(await sh('cat /root/both/a.txt'), '2\nmine')

      await edit(' too')
      await sh('echo 4 > /root/both/a.txt')
      await button('Load theirs, drop mine').click()
      await pollUntil('theirs is loaded', async () => ((await content()) === '4\n' ? true : undefined), {
        timeoutMs,
      })
      await edit('last')
      await sh('rm /root/both/a.txt')
      await page.getByText('This file was removed').waitFor()
      await button('Save it again').click()
      await page.getByText('not saved').waitFor({ state: 'detached' })
      assert.equal(await sh('cat /root/both/a.txt'), '4\nlast')
    })

    it('notices a change before it saves over it, without being told', async () => {
      const { page } = dashboard
      await sh('mkdir -p /root/untold; echo 1 > /root/untold/a.txt')
      await page.route(/\/files\/watch/, (route) => route.abort())
      dashboard.expectComplaint(/ERR_FAILED/)
      await open('/root/untold/a.txt')
      await edit('mine')
      await page.getByText('Not live').waitFor()
      await sh('echo 2 > /root/untold/a.txt')
      await page.keyboard.press('Control+s')
      await page.getByText('This file was changed in the sandbox').waitFor()
      assert.equal(await sh('cat /root/untold/a.txt'), '2\n')
      await button('Load theirs, drop mine').click()
      await page.getByText('not saved').waitFor({ state: 'detached' })
      await page.unroute(/\/files\/watch/)
    })

    it('keeps the text when it cannot be saved, while the sandbox is paused, and over a session that ends', async () => {
      const { page } = dashboard
      dashboard.expectComplaint(/status of (401|404|409|507)/)
      const mine = 'mine '.repeat(100_000)
      await sh('mkdir -p /root/keep; echo 1 > /root/keep/a.txt')
      await open('/root/keep/a.txt')
      await editor().fill(mine)
      await onFullDisk(0, async () => {
        await button('Save').click()
        await page
          .getByRole('alert')
          .getByText(/full|space/i)
          .waitFor()
      })
      await api.expect(200, 'pauseSandbox', { as, params: { id } })
      await page.getByRole('heading', { name: 'The sandbox is paused' }).waitFor()
      assert.equal(await content(), mine)
      assert.equal(await button('Save').getAttribute('aria-disabled'), 'true')
      await page.locator('main').getByRole('button', { name: 'Resume' }).last().click()
      await page.getByRole('heading', { name: 'The sandbox is paused' }).waitFor({ state: 'detached' })

      // The token is refused, and whoever signs in again is where they were.
      await page.route(/\/files\/write$/, (route) =>
        route.fulfill({ status: 401, json: { error: { code: 'unauthorized', message: 'expired' } } }),
      )
      await button('Save').click()
      await page.getByLabel('E-mail').fill(account.email)
      await page.getByLabel('Password').fill('correct horse')
      await page.unroute(/\/files\/write$/)
      await button('Sign in').click()
      await editor().waitFor()
      assert.equal(await content(), mine)
      await button('Save').click()
      await page.getByText('not saved').waitFor({ state: 'detached' })
      assert.equal(await sh('cat /root/keep/a.txt'), mine)
    })

    it('offers a download for what is no text, or too much of it', async () => {
      const { page } = dashboard
      await sh(
        'mkdir -p /root/big; head -c 1000 /dev/urandom > /root/big/noise; printf "\\0" >> /root/big/noise; head -c 3000000 /dev/zero | tr "\\0" a > /root/big/long.txt',
      )
      await open('/root/big/noise')
      await page.getByRole('heading', { name: 'This is no text' }).waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('files-binary')
      const started = page.waitForEvent('download')
      await button('Download').click()
      const saved = await readFile(await savedPath(await started))
      assert.equal(saved.length, 1_001)
      await open('/root/big/long.txt')
      await page.getByText('It has 2.9 MiB; up to 2 MiB can be edited').waitFor()
    })
  })

  async function savedPath(download: Download): Promise<string> {
    const path = join(local, `${Math.random()}`)
    await download.saveAs(path)
    return path
  }

  describe('things', () => {
    sharesBrowser()

    it('are made, renamed, moved and deleted', async () => {
      const { page } = dashboard
      dashboard.expectComplaint(/status of 409/)
      await sh(
        'mkdir -p /root/things; cd /root/things; echo 1 > one.txt; echo 2 > two.txt; echo 3 > three.txt',
      )
      await open('/root/things')
      await button('New folder').click()
      await dialog().getByRole('textbox', { name: 'Name' }).fill('a/b')
      await dialog().getByRole('button', { name: 'Create' }).click()
      await dialog().getByText('A name has no / in it').waitFor()
      await dialog().getByRole('textbox', { name: 'Name' }).fill('a folder')
      await dialog().getByRole('button', { name: 'Create' }).click()
      await link('a folder').waitFor()

      await choose('one.txt', 'Rename…')
      const name = dialog().getByRole('textbox', { name: 'Name' })
      // The ending stays when one types.
      await name.pressSequentially('two')
      assert.equal(await name.inputValue(), 'two.txt')
      await name.press('Enter')
      await dialog()
        .getByRole('alert')
        .getByText(/exists/)
        .waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('files-rename')
      await name.fill('1 "one".txt')
      await name.press('Enter')
      await link('1 "one".txt').waitFor()

      await page.getByRole('checkbox', { name: 'Select two.txt' }).click()
      await page.getByRole('checkbox', { name: 'Select three.txt' }).click()
      await page.getByRole('group', { name: 'Selection' }).getByText('2 selected').waitFor()
      await dashboard.assertAccessible()
      await button('Move…').click()
      await dialog().getByRole('textbox', { name: 'To the folder' }).fill('a folder')
      await dialog().getByRole('button', { name: 'Move' }).click()
      await dialog().waitFor({ state: 'detached' })
      await link('two.txt').waitFor({ state: 'detached' })
      assert.equal(await sh('ls "/root/things/a folder"'), 'three.txt\ntwo.txt\n')

      await page.getByRole('checkbox', { name: 'Select all' }).click()
      await button('Delete…').click()
      await dialog().getByText('Folders are deleted with all that is in them').waitFor()
      await dashboard.assertAccessible()
      await dashboard.screenshots('files-delete')
      await dialog().getByRole('button', { name: 'Delete' }).click()
      await page.getByRole('heading', { name: 'This folder is empty' }).waitFor()
      assert.equal(await sh('ls -A /root/things'), '')
    })

    it('come by button and by drop, folders with all that is in them, and ask before they replace', async () => {
      const { page } = dashboard
      await sh('mkdir -p /root/up; echo old > /root/up/same.txt')
      await mkdir(join(local, 'tree', 'deep', 'empty'), { recursive: true })
      await writeFile(join(local, 'tree', 'deep', 'ümlaut "q".txt'), 'deep')
      await writeFile(join(local, 'same.txt'), 'new')
      await writeFile(join(local, 'other.txt'), 'other')
      await writeFile(join(local, 'nothing.txt'), '')
      await open('/root/up')
      await link('same.txt').waitFor()
      const files = page.getByLabel('Files to upload', { exact: true })
      await files.setInputFiles(['same.txt', 'other.txt'].map((name) => join(local, name)))
      await dialog().getByText('same.txt').waitFor()
      await dashboard.assertAccessible()
      await dialog().getByRole('button', { name: 'Upload the others only' }).click()
      await link('other.txt').waitFor()
      assert.equal(await sh('cat /root/up/same.txt'), 'old\n')
      await files.setInputFiles(['same.txt', 'nothing.txt'].map((name) => join(local, name)))
      await dialog().getByRole('button', { name: 'Replace' }).click()
      await transfers().getByText('3 uploaded').waitFor()
      assert.equal(await sh('cat /root/up/same.txt'), 'new')
      await dashboard.assertAccessible()

      await drop([join(local, 'tree'), join(local, 'nothing.txt')], async () => {
        await page.getByText('Upload to /root/up').waitFor()
        await dashboard.screenshots('files-drop')
      })
      await dialog().getByRole('button', { name: 'Replace' }).click()
      await transfers().getByText('6 uploaded').waitFor()
      await link('tree').waitFor()
      const tree = await sh('cd /root/up/tree; find . | sort; cat deep/*.txt')
      assert.equal(tree, '.\n./deep\n./deep/empty\n./deep/ümlaut "q".txt\ndeep')
      await button('Dismiss').click()
      await transfers().waitFor({ state: 'detached' })
    })

    /** As from the desktop. */
    async function drop(paths: string[], whileOver: () => Promise<void>): Promise<void> {
      const { page } = dashboard
      const box = await rows().first().boundingBox()
      assert.ok(box)
      const session = await page.context().newCDPSession(page)
      const at = { x: box.x + 20, y: box.y + 10, data: { items: [], files: paths, dragOperationsMask: 1 } }
      for (const type of ['dragEnter', 'dragOver'] as const)
        await session.send('Input.dispatchDragEvent', { type, ...at })
      await whileOver()
      await session.send('Input.dispatchDragEvent', { type: 'drop', ...at })
      await session.detach()
    }

    it('are cancelled, fail on a full disk with the reason, and are tried again', async () => {
      const { page } = dashboard
      dashboard.expectComplaint(/status of 507|ERR_FAILED|ERR_ABORTED/)
      await sh('mkdir -p /root/full')
      await writeFile(join(local, 'large.bin'), Buffer.alloc(30_000_000, 7))
      await writeFile(join(local, 'small.bin'), 'small')
      await open('/root/full')
      await page.getByRole('heading', { name: 'This folder is empty' }).waitFor()
      const files = page.getByLabel('Files to upload', { exact: true })
      // Held on its way.
      await page.route(/\/files\/stream\/write$/, () => undefined)
      await files.setInputFiles(join(local, 'large.bin'))
      await transfers().getByRole('progressbar', { name: 'large.bin' }).waitFor()
      await dashboard.screenshots('files-uploading')
      await button('Cancel large.bin').click()
      await transfers().getByText('1 cancelled').waitFor()
      await page.unroute(/\/files\/stream\/write$/)
      assert.equal(await sh('ls -A /root/full'), '')
      await button('Dismiss').click()

      await onFullDisk(10, async () => {
        await files.setInputFiles([join(local, 'large.bin'), join(local, 'small.bin')])
        await transfers().getByText('1 uploaded, 1 failed').waitFor()
        await transfers()
          .getByText(/full|space/i)
          .waitFor()
        await dashboard.assertAccessible()
        await dashboard.screenshots('files-upload-failed')
      })
      await button('Try the failed again').click()
      await transfers().getByText('2 uploaded').waitFor()
      assert.match(await sh('wc -c /root/full/large.bin'), /^30000000 /)
    })

    it('are downloaded one by one, and large ones straight to the disk', async () => {
      const { page } = dashboard
      await sh(
        'mkdir -p /root/down/folder; cd /root/down; printf one > 1.txt; printf two > "2 ü.txt"; head -c 70000000 /dev/zero > large',
      )
      await page.addInitScript(() => {
        const scope = globalThis as unknown as {
          navigator: {
            storage: { getDirectory(): Promise<{ getFileHandle(name: string, options: object): unknown }> }
          }
          showSaveFilePicker: (options: { suggestedName: string }) => Promise<unknown>
        }
        // The dialog of the browser is not for tests: they save where pages have a disk of their own.
        scope.showSaveFilePicker = async ({ suggestedName }) =>
          (await scope.navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true })
      })
      await open('/root/down')
      const saved: Download[] = []
      page.on('download', (download) => saved.push(download))
      await page.getByRole('checkbox', { name: 'Select folder' }).click()
      await page.getByRole('checkbox', { name: 'Select 1.txt' }).click()
      await page.getByRole('checkbox', { name: 'Select 2 ü.txt' }).click()
      assert.equal(await button('Download').getAttribute('aria-disabled'), 'true')
      await page.getByRole('checkbox', { name: 'Select folder' }).click()
      await button('Download').click()
      await transfers().getByText('2 downloaded').waitFor()
      await pollUntil('both are saved', () => (saved.length === 2 ? true : undefined), { timeoutMs })
      const contents = await Promise.all(
        saved.map(async (each) => [each.suggestedFilename(), await readFile(await savedPath(each), 'utf8')]),
      )
      assert.deepEqual(Object.fromEntries(contents), { '1.txt': 'one', '2 ü.txt': 'two' })

      await choose('large', 'Download')
      await transfers().getByText('3 downloaded').waitFor()
      const size = await page.evaluate(async () => {
        const scope = globalThis as unknown as {
          navigator: {
            storage: {
              getDirectory(): Promise<{
                getFileHandle(name: string): Promise<{ getFile(): Promise<{ size: number }> }>
              }>
            }
          }
        }
        const handle = await (await scope.navigator.storage.getDirectory()).getFileHandle('large')
        return (await handle.getFile()).size
      })
      assert.equal(size, 70_000_000)
      assert.equal(saved.length, 2)
    })
  })
})
