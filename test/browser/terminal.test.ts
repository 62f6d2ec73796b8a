// Terminals and the panel that runs commands, in a browser, with a real VM: what is typed is typed into a real shell, and
// what goes away under them (the page, the control plane, the VM) comes back.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { pollUntil, run } from '@wrenn/base'
import type { Locator, Page } from 'playwright-core'
import { Api, type Account } from '../support/api.ts'
import { Dashboard } from '../support/dashboard.ts'
import { TestPlatform } from '../support/real-platform.ts'

const timeoutMs = 60_000

describe('terminals and commands', () => {
  let platform: TestPlatform
  let api: Api
  let account: Account
  let id: string
  let dashboard: Dashboard
  let page: Page

  before(async () => {
    platform = await TestPlatform.create()
    api = new Api(platform.url)
    account = await api.account()
    id = (await api.create(account)).id
    dashboard = await Dashboard.open(platform.url)
    page = dashboard.page
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  })

  after(async () => {
    try {
      await dashboard?.close()
    } finally {
      await platform?.remove()
    }
  })

  // One browser: those that expect complaints come last.
  afterEach(async () => {
    dashboard.assertQuiet()
    await dashboard.signOut()
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  const button = (name: string): Locator => page.getByRole('button', { name, exact: true })
  const tabs = (): Locator => page.getByRole('tablist', { name: 'Terminals' }).getByRole('tab')
  /** The line below the terminal that is shown. */
  const status = (text: string): Locator => page.getByRole('tabpanel').getByText(text)

  /** What the terminal that is shown shows: a line for each row, without the spaces at their ends. */
  async function screen(): Promise<string> {
    const rows = await page.getByRole('tabpanel').locator('.xterm-rows > div').allTextContents()
    return rows.map((row) => row.replaceAll(' ', ' ').trimEnd()).join('\n')
  }

  const shows = (pattern: RegExp): Promise<RegExpExecArray> =>
    pollUntil(`the terminal shows ${pattern}`, async () => pattern.exec(await screen()) ?? undefined, {
      timeoutMs,
    }).catch(async (cause: unknown) => {
      throw new Error(await screen(), { cause })
    })

  const clipboard = (): Promise<string> => page.evaluate('navigator.clipboard.readText()')

  /** Once it is open. */
  async function focus(): Promise<void> {
    await status('leaves the terminal').waitFor()
    await page.getByRole('tabpanel').getByRole('textbox', { name: 'Terminal input' }).focus()
  }

  /** A line, and what it has to show. What is shown must differ from what is typed. */
  async function type(line: string, pattern: RegExp): Promise<RegExpExecArray> {
    await page.keyboard.type(line)
    await page.keyboard.press('Enter')
    return shows(pattern)
  }

  /** With a fresh tab: a terminal of its own. */
  async function openTerminal(): Promise<void> {
    await dashboard.signIn(account, `/sandboxes/${id}`)
    await focus()
    await shows(/#/)
  }

  it('is a real terminal: programs compute, are interrupted, are told its size, and name it', async () => {
    await openTerminal()
    await type('python3 -q', /^>>>$/m)
    await type('6 * 7', /^42$/m)
    await page.keyboard.type('import shutil\n')
    await type('import time; print("sle" + "eps"); time.sleep(10_000)', /^sleeps$/m)
    await page.keyboard.press('Control+C')
    await shows(/KeyboardInterrupt/)
    const sizeOf = async (mark: string): Promise<number> =>
      Number(
        (
          await type(`print('${mark}', shutil.get_terminal_size()[0])`, new RegExp(`^${mark} (\\d+)$`, 'm'))
        )[1],
      )
    const wide = await sizeOf('wide')
    await page.setViewportSize({ width: 800, height: 700 })
    const narrow = await pollUntil(
      'the program sees the new size',
      async () => {
        const cols = await sizeOf('narrow')
        return cols < wide ? cols : undefined
      },
      { timeoutMs },
    )
    await page.keyboard.type('exit()\n')
    await type('echo "rows and columns: $(stty size)"', new RegExp(`columns: \\d+ ${narrow}$`, 'm'))
    // Also what the policy could refuse: colours of their own are style attributes.
    await page.keyboard.type(String.raw`printf '\e[38;2;255;90;0mcol''oured\e[0m \e]0;my sh''ell\a'` + '\n')
    await shows(/^coloured /m)
    await tabs().getByText('my shell').waitFor()
    await dashboard.assertAccessible()
    await dashboard.screenshots('terminal')
  })

  it('copies and pastes; what is pasted is not run line by line', async () => {
    await openTerminal()
    await page.evaluate(`navigator.clipboard.writeText('echo fir""st\\necho sec""ond')`)
    await page.keyboard.press('Control+Shift+V')
    await shows(/echo sec""ond/)
    assert.doesNotMatch(await screen(), /^first$/m)
    await page.keyboard.press('Enter')
    await shows(/^first\nsecond$/m)
    const row = page
      .getByRole('tabpanel')
      .locator('.xterm-rows > div')
      .filter({ hasText: /^second\s*$/ })
    const { x, y } = (await row.boundingBox()) ?? assert.fail('no such row')
    await page.mouse.dblclick(x + 10, y + 5)
    await page.keyboard.press('Control+Shift+C')
    await pollUntil('it is copied', async () => (await clipboard()) === 'second' || undefined, { timeoutMs })
  })

  it('is left by keyboard, is read by screen readers, and stays usable under a flood', async () => {
    await openTerminal()
    await page.keyboard.press('Control+Shift+Enter')
    await tabs().and(page.locator(':focus')).waitFor()
    await button('For screen readers').click()
    await focus()
    await type('echo rea""dable', /^readable$/m)
    await page.getByRole('listitem').getByText('readable', { exact: true }).waitFor()
    await dashboard.assertAccessible()
    await button('For screen readers').click()
    await focus()
    await page.keyboard.type('yes flo""od\n')
    await shows(/^(flood\n){10}/m)
    await page.keyboard.press('Control+C')
    await type('echo cal""m', /^calm$/m)
  })

  it('is found again after a visit elsewhere and after a reload, with nothing shown twice', async () => {
    await openTerminal()
    await type('kept=yes; echo "first: $((20 + 3))"', /^first: 23$/m)
    await page.getByRole('link', { name: 'Run', exact: true }).click()
    await page.getByLabel('Command').waitFor()
    await page.getByRole('link', { name: 'Terminal', exact: true }).click()
    await shows(/^first: 23$/m)
    await page.reload()
    await focus()
    await type('echo "kept: $kept"', /^kept: yes$/m)
    assert.equal((await screen()).match(/^first: 23$/gm)?.length, 1)
  })

  it('is one of several, which are stopped one by one', async () => {
    await openTerminal()
    await type('echo "pid: $$"', /^pid: \d+$/m)
    await button('New terminal').click()
    await tabs().nth(1).waitFor()
    await focus()
    const [, pid] = await type('echo "pid: $$"', /^pid: (\d+)$/m)
    await button('Stop this terminal').click()
    await page.getByRole('alertdialog').waitFor()
    await dashboard.assertAccessible()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Stop', exact: true }).click()
    await tabs().nth(1).waitFor({ state: 'detached' })
    await focus()
    await type(`[ -e /proc/${pid} ] || echo "it is go""ne"`, /^it is gone$/m)
    await button('Stop this terminal').click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByRole('heading', { name: 'No terminal is open' }).waitFor()
    await dashboard.assertAccessible()
    await button('New terminal').click()
    await focus()
    await shows(/#/)
  })

  it('says how the shell ended, or that it is gone, and starts another', async () => {
    await openTerminal()
    const [, pid] = await type('echo "pid: $$"', /^pid: (\d+)$/m)
    await page.keyboard.type('exit 3\n')
    await status('The shell has ended with exit code 3.').waitFor()
    await dashboard.assertAccessible()
    await button('Start a new shell').click()
    await focus()
    const [, another] = await type('echo "pid: $$"', /^pid: (\d+)$/m)
    assert.notEqual(another, pid)
    // While nobody looks.
    await page.getByRole('link', { name: 'Run', exact: true }).click()
    await page.getByLabel('Command').fill(`kill -9 ${another}`)
    await page.keyboard.press('Enter')
    await page.getByText('Ended with exit code 0').waitFor()
    await page.getByRole('link', { name: 'Terminal', exact: true }).click()
    await status('This shell is not there any more').waitFor()
    await button('Start a new shell').click()
    await focus()
    await shows(/#/)
  })

  it('runs a command: both streams, its exit code, with all that belongs to it', async () => {
    await dashboard.signIn(account, `/sandboxes/${id}/run`)
    const command = page.getByLabel('Command')
    await command.fill('ls | wc')
    await page.getByText('Without a shell').waitFor()
    await command.fill(`cd sub; cat; echo "$GREETING from $(whoami) in $PWD"; echo 'to stderr' >&2; exit 3`)
    await page.getByRole('checkbox', { name: 'Run in a shell' }).click()
    await page.getByText('Options').click()
    await page.getByLabel('Folder').fill('/usr')
    await page.getByLabel('User').fill('nobody')
    await page.getByLabel('Environment').fill('GREETING=Grüße')
    await page.getByLabel('Standard input').fill('typed before\n')
    await button('Run').click()
    await page.getByText('Ended with exit code 3').waitFor()
    const output = page.getByRole('region', { name: 'What it said' })
    await output.getByText('Grüße from nobody in /usr').waitFor()
    await output.getByText('typed before').waitFor()
    await dashboard.assertAccessible()
    await dashboard.screenshots('run')
    await button('stdout').click()
    assert.equal(await output.textContent(), 'typed before\nGrüße from nobody in /usr\n')
    await button('stderr').click()
    assert.match((await output.textContent()) ?? '', /to stderr\n$/)
    const download = page.waitForEvent('download')
    await button('Download').click()
    assert.equal((await download).suggestedFilename(), 'output-stderr.txt')
    // It is remembered over a reload, with all that belonged to it.
    await page.reload()
    await page.getByRole('button', { name: /^Use again: cd sub/ }).click()
    assert.equal(await page.getByLabel('Standard input').inputValue(), 'typed before\n')
  })

  it('gives the same command for a shell, which has the same result', async () => {
    await dashboard.signIn(account, `/sandboxes/${id}/run`)
    await page.getByLabel('Command').fill(`printf '%s|' "it's" 'two words' '$HOME'`)
    await button('Copy as curl').click()
    const line = await clipboard()
    const env = { PATH: process.env['PATH'], WRENN_API_KEY: account.apiKey }
    const { stdout } = await run('bash', ['-c', `${line} -sS`], { timeoutMs, env })
    assert.equal((JSON.parse(stdout) as { stdout: string }).stdout, `it's|two words|$HOME|`)
  })

  it('stops a command, also one that floods, and shows what is refused where it belongs', async () => {
    await dashboard.signIn(account, `/sandboxes/${id}/run`)
    const command = page.getByLabel('Command')
    await command.fill('yes')
    await page.keyboard.press('Enter')
    await page.getByText('Only the end is shown').waitFor()
    // It goes on elsewhere.
    await page.getByRole('link', { name: 'Details', exact: true }).click()
    await page.getByRole('link', { name: 'Run', exact: true }).click()
    await button('Stop').click()
    await page.getByText('Stopped, with exit code 143').waitFor()

    await command.fill('nothing-of-this-name')
    await page.keyboard.press('Enter')
    await page.getByText('Ended with exit code 127 (there is no such command)').waitFor()
    await command.fill('sleep 1000')
    await page.getByText('Options').click()
    await page.getByLabel('Timeout').fill('1')
    await command.press('Enter')
    await page.getByText('Stopped at its timeout').waitFor()
    await page.getByLabel('Folder').fill('not/absolute')
    await button('Run').click()
    await page.getByText('Must be an absolute path').first().waitFor()
    assert.equal(await command.inputValue(), 'sleep 1000')
    await dashboard.assertAccessible()
    await command.fill(`echo 'open`)
    await page.keyboard.press('Enter')
    await page.getByText("A quote is not closed: '").waitFor()
  })

  it('comes back by itself when the server was killed', async () => {
    dashboard.expectComplaint(/Failed to load resource|WebSocket connection to/)
    await openTerminal()
    await type('kept=yes; echo "before: $((1 + 1))"', /^before: 2$/m)
    await platform.kill('control-plane')
    await status('Reconnecting…').waitFor()
    await status('leaves the terminal').waitFor()
    await type('echo "kept: $kept"', /^kept: yes$/m)
    assert.equal((await screen()).match(/^before: 2$/gm)?.length, 1)
  })

  it('goes on where it was after a pause', async () => {
    // What is asked while it is paused is refused.
    dashboard.expectComplaint(/409|WebSocket connection to/)
    await openTerminal()
    await type('python3 -q', /^>>>$/m)
    await type('kept = 6 * 7; print("be" + "fore")', /^before$/m)
    const pause = (): Promise<void> => button('Pause').click()
    await pause()
    await status('What runs in it goes on').waitFor()
    assert.match(await screen(), /^before$/m)
    await dashboard.assertAccessible()
    await page.getByRole('tabpanel').getByRole('button', { name: 'Resume', exact: true }).click()
    await focus()
    await type('print("still:", kept)', /^still: 42$/m)
    assert.equal((await screen()).match(/^before$/gm)?.length, 1)
    await pause()
    await status('What runs in it goes on').waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'The sandbox is paused' }).waitFor()
    await page.getByRole('link', { name: 'Run', exact: true }).click()
    await page.getByRole('heading', { name: 'The sandbox is paused' }).waitFor()
    await dashboard.assertAccessible()
    await page.getByRole('link', { name: 'Terminal', exact: true }).click()
    await page.getByRole('button', { name: 'Resume', exact: true }).last().click()
    await focus()
    await type('print("kept:", kept)', /^kept: 42$/m)
  })
})
