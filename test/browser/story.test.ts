// The story of a user, in a browser, on a platform as it is started: an account, a key, a sandbox that is worked in, saved
// and made anew; and what may go wrong on the way: the server is killed, the token expires, the link is another team's.
// Each part goes on where the one before has ended.
import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { Api } from '../support/api.ts'
import { copied } from '../support/clipboard.ts'
import { Dashboard } from '../support/dashboard.ts'
import { TestPlatform } from '../support/real-platform.ts'

const jwtSecret = randomBytes(32).toString('hex')
const email = 'ada@example.com'
const password = 'correct horse'

describe('the story of a user', () => {
  let platform: TestPlatform
  let api: Api
  let dashboard: Dashboard
  let page: Page
  let local: string
  let apiKey: string
  let id: string

  before(async () => {
    local = await mkdtemp(join(tmpdir(), 'wrenn-story-'))
    platform = await TestPlatform.create({ JWT_SECRET: jwtSecret })
    api = new Api(platform.url)
    dashboard = await Dashboard.open(platform.url)
    page = dashboard.page
  })

  after(async () => {
    try {
      await dashboard?.close()
    } finally {
      await platform?.remove()
      await rm(local, { recursive: true, force: true })
    }
  })

  let hasFailed = false

  /** One after the other: what follows a part that has failed is skipped. */
  const part = (name: string, play: () => Promise<void>): void =>
    void it(name, async (t) => {
      if (hasFailed) return t.skip('an earlier part has failed')
      hasFailed = true
      await play()
      dashboard.assertQuiet()
      hasFailed = false
    })

  const button = (name: string): Locator => page.getByRole('button', { name, exact: true })
  const dialog = (name: string): Locator => page.getByRole('dialog', { name })
  const heading = (): Locator => page.getByRole('heading', { level: 1 })
  const navigate = (name: string): Promise<void> =>
    page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click()
  const tab = (name: string): Promise<void> =>
    page.getByRole('navigation', { name: 'Sandbox' }).getByRole('link', { name }).click()

  /** Presses Create in the dialog that is open, and waits for the sandbox's own page. */
  async function create(): Promise<string> {
    await dialog('Create a sandbox').getByRole('button', { name: 'Create', exact: true }).click()
    await page.waitForURL(/\/sandboxes\/sb-[a-z2-7]{20}$/)
    await heading().getByText('running').waitFor()
    return page.url().split('/').at(-1) ?? ''
  }

  async function type(line: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Terminal input' }).focus()
    await page.keyboard.type(`${line}\n`)
  }

  /** A row of the terminal, whole. */
  const said = (row: RegExp): Locator => page.locator('.xterm-rows > div').filter({ hasText: row }).first()

  async function signIn(): Promise<void> {
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(password)
    await button('Sign in').click()
  }

  part('begins with an account, and a key for programs', async () => {
    await dashboard.goto('/')
    await page.getByRole('link', { name: 'Create one' }).click()
    await heading().getByText('Create').waitFor()
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(password)
    await button('Create account').click()
    await navigate('API keys')
    await button('Create key').click()
    await page.getByLabel('Name', { exact: true }).fill('story')
    await button('Create').click()
    apiKey = await copied(page, button('Copy key'))
    await button('I have saved the key').click()
    assert.deepEqual(await api.list({ apiKey }), [])
  })

  part('goes on in the terminal of a sandbox, which is as large as the window lets it be', async () => {
    await navigate('Sandboxes')
    await button('Create sandbox').first().click()
    id = await create()
    await said(/^root@.*# /).waitFor()
    await type('python3')
    await said(/^>>>/).waitFor()
    await type('6 * 7')
    await said(/^42\s*$/).waitFor()
    await type('import os; print("it has", os.get_terminal_size().columns, "columns")')
    const columns = async (): Promise<number> => {
      const text = (await page.locator('.xterm-rows').textContent()) ?? ''
      return Number([...text.matchAll(/it has\s(\d+)\scolumns/g)].at(-1)?.[1])
    }
    await said(/^it has \d+ columns/).waitFor()
    const before = await columns()
    await page.setViewportSize({ width: 700, height: 800 })
    await type('import time; time.sleep(1); print("it has", os.get_terminal_size().columns, "columns")')
    await said(new RegExp(`^it has (?!${before})\\d+ columns`)).waitFor()
    assert.ok((await columns()) < before)
    await page.setViewportSize({ width: 1280, height: 800 })
    await dashboard.assertAccessible()
    await dashboard.screenshots('story-terminal')
  })

  part('is not broken off by a server that is killed: the same shell is there again', async () => {
    dashboard.expectComplaint(/WebSocket|ERR_(CONNECTION|SOCKET|EMPTY|INCOMPLETE)/)
    await type('word = "remembered"; print("noted")')
    await said(/^noted/).waitFor()
    await platform.kill('control-plane')
    await page.getByText('What you see may be out of date').waitFor()
    await page.getByText('What you see may be out of date').waitFor({ state: 'detached' })
    await page.getByText('Connected', { exact: true }).waitFor({ state: 'attached' })
    await type('word.upper()')
    await said(/^'REMEMBERED'/).waitFor()
    // What changes is told again.
    await api.expect(200, 'pauseSandbox', { as: { apiKey }, params: { id } })
    await heading().getByText('paused').waitFor()
    await api.expect(200, 'resumeSandbox', { as: { apiKey }, params: { id } })
    await heading().getByText('running').waitFor()
  })

  part('has files, which are uploaded, edited and downloaded', async () => {
    const file = join(local, 'poem.txt')
    await writeFile(file, 'roses are red\n')
    await tab('Files')
    await page.getByLabel('Files to upload', { exact: true }).setInputFiles(file)
    await page.getByRole('table', { name: 'Files' }).getByRole('link', { name: 'poem.txt' }).click()
    const editor = page.getByRole('textbox', { name: /^Content of/ })
    await editor.waitFor()
    await editor.fill('violets are blue\n')
    await button('Save').click()
    await page.getByText('not saved').waitFor({ state: 'detached' })
    const started = page.waitForEvent('download')
    await button('Download').click()
    const path = join(local, 'downloaded.txt')
    await (await started).saveAs(path)
    assert.equal(await readFile(path, 'utf8'), 'violets are blue\n')
  })

  part('is paused and resumed, and what ran in it runs on', async () => {
    await tab('Terminal')
    await page.getByText('Connected', { exact: true }).waitFor({ state: 'attached' })
    await button('Pause').click()
    await heading().getByText('paused').waitFor()
    await page.getByText('What runs in it goes on when it is resumed').waitFor()
    await button('Resume').first().click()
    await heading().getByText('running').waitFor()
    await page.getByText('Connected', { exact: true }).waitFor({ state: 'attached' })
    await type('word.title()')
    await said(/^'Remembered'/).waitFor()
  })

  part('becomes a snapshot, from which the next one is made, and destroyed', async () => {
    await button('Snapshot').click()
    await dialog('Save as a snapshot').getByRole('textbox', { name: 'Name' }).fill('with-poem')
    await button('Save and destroy').click()
    await heading().getByText('stopped').waitFor()
    await navigate('Snapshots')
    await page.getByRole('link', { name: 'Create sandbox from with-poem' }).click()
    const copy = await create()
    assert.notEqual(copy, id)
    await type('cat /root/poem.txt')
    await said(/^violets are blue/).waitFor()
    await button('More actions').click()
    await page.getByRole('menuitem', { name: 'Destroy' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Destroy' }).click()
    await heading().getByText('stopped').waitFor()
    assert.deepEqual(await api.list({ apiKey }), [])
  })

  part('does not lead to what is another team’s', async () => {
    dashboard.expectComplaint(/status of 404/)
    const others = await api.create(await api.account())
    for (const path of ['', '/files']) {
      await dashboard.goto(`/sandboxes/${others.id}${path}`)
      await page.getByRole('heading', { level: 1, name: 'There is nothing here' }).waitFor()
    }
    await dashboard.assertAccessible()
  })

  part('goes on where it was when the token has expired', async () => {
    dashboard.expectComplaint(/status of 401/)
    await dashboard.goto('/snapshots')
    await page.getByText('with-poem').waitFor()
    await replaceToken(expired)
    await page.reload()
    await page.getByText('Your session has expired').waitFor()
    await signIn()
    await page.waitForURL('**/snapshots')
    await page.getByText('with-poem').waitFor()
  })

  /** The page goes on believing that its token is good. */
  async function replaceToken(change: (token: string) => string): Promise<void> {
    const read = "JSON.parse(sessionStorage.getItem('wrenn.session'))"
    const session = await page.evaluate<{ token: string }>(read)
    const text = JSON.stringify({ ...session, token: change(session.token) })
    await page.evaluate((text) => {
      const { sessionStorage } = globalThis as unknown as {
        sessionStorage: { setItem(name: string, text: string): void }
      }
      sessionStorage.setItem('wrenn.session', text)
    }, text)
  }
})

/** The same token as the server would have signed it a day ago (RFC 7515). */
function expired(token: string): string {
  const [header = '', payload = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iat: number; exp: number }
  const daySec = 86_400
  const old = { ...claims, iat: claims.iat - daySec, exp: claims.exp - daySec }
  const signed = `${header}.${Buffer.from(JSON.stringify(old)).toString('base64url')}`
  return `${signed}.${createHmac('sha256', jwtSecret).update(signed).digest('base64url')}`
}
