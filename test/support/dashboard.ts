// The dashboard in a browser, on a platform of a test. What a page complains about fails the test: errors on the console,
// violations of its policy, requests that fail, requests to anywhere else.
import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildDashboard } from '@wrenn/dashboard'
import type { Page } from 'playwright-core'
import type { Account } from './api.ts'
import { openBrowser, type TestBrowser } from './browser.ts'

const screenshots = join(import.meta.dirname, '..', 'browser', 'screenshots')
const axeUrl = new URL(import.meta.resolve('axe-core/axe.min.js'))
const wide = { width: 1280, height: 800 }
const narrow = { width: 390, height: 844 }

/** What the set-up of `npm test` has built; built here when a single file is run. */
export function builtDashboard(): Promise<string> {
  return buildDashboard(process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn')
}

/** A browser with a fresh profile. Close it with `close`, which fails when the pages have complained. */
export class Dashboard {
  readonly page: Page
  readonly url: string
  readonly #browser: TestBrowser
  /** A sandbox may be paused or destroyed in the moment in which its page opens a terminal. */
  readonly #expected: RegExp[] = [/^WebSocket connection to '[^']*\/pty' failed: .* code: 40[49]$/]

  private constructor(url: string, browser: TestBrowser) {
    this.url = url
    this.#browser = browser
    this.page = browser.page
  }

  /** `origins`: that pages may lead to, beside the platform's own. */
  static async open(url: string, origins: readonly string[] = []): Promise<Dashboard> {
    const dashboard = new Dashboard(url, await openBrowser([url, ...origins]))
    await dashboard.page.setViewportSize(wide)
    // What an earlier page of the same browser has left behind is no matter of this one.
    await dashboard.page.emulateMedia({ colorScheme: 'light' })
    return dashboard
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(this.url + path)
  }

  /** As if this tab had signed in. Shows `path`. */
  async signIn({ token, userId, teamId, email }: Account, path = '/sandboxes'): Promise<void> {
    await this.goto('/sign-in')
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      exp: number
    }
    const session = JSON.stringify({ token, userId, teamId, email, expiresAtMs: exp * 1_000 })
    await this.page.evaluate((text) => sessionStorage.setItem('wrenn.session', text), session)
    await this.goto(path)
  }

  async signOut(): Promise<void> {
    await this.page.evaluate(() => sessionStorage.clear())
  }

  /** Complaints that match are what the test is about. A refused request is one: browsers log its status. */
  expectComplaint(pattern: RegExp): void {
    this.#expected.push(pattern)
  }

  /** Fails when anything has been complained about that was not expected. */
  assertQuiet(): void {
    const unexpected = this.#browser.complaints.filter(
      (text) => !this.#expected.some((each) => each.test(text)),
    )
    assert.deepEqual(unexpected, [])
    assert.deepEqual(this.#browser.refused, [])
  }

  async close(): Promise<void> {
    await this.#browser.close()
    this.assertQuiet()
  }

  /** WCAG 2.2 A and AA, and axe's best practices, in both themes. */
  async assertAccessible(): Promise<void> {
    for (const theme of ['light', 'dark'] as const) {
      await this.#showTheme(theme)
      const violations = await axeViolations(this.page)
      assert.deepEqual(violations, [], `${theme}: ${this.page.url()}`)
    }
    await this.#showTheme('light')
  }

  /** NAME-light.png, NAME-dark.png and NAME-narrow.png in a folder that git ignores, to be looked at. */
  async screenshots(name: string): Promise<void> {
    await mkdir(screenshots, { recursive: true })
    const shoot = async (variant: string): Promise<void> => {
      await this.page.screenshot({
        path: join(screenshots, `${name}-${variant}.png`),
        animations: 'disabled',
      })
    }
    await shoot('light')
    await this.#showTheme('dark')
    await shoot('dark')
    await this.#showTheme('light')
    await this.page.setViewportSize(narrow)
    await shoot('narrow')
    assert.ok(await this.#fits(), `${name}: a narrow screen has to scroll sideways`)
    await this.page.setViewportSize(wide)
  }

  #fits(): Promise<boolean> {
    return this.page.evaluate('document.documentElement.scrollWidth <= innerWidth')
  }

  /** As the system's setting: the page follows. */
  async #showTheme(theme: 'light' | 'dark'): Promise<void> {
    await this.page.emulateMedia({ colorScheme: theme })
    await this.page.locator(`html[data-theme=${theme}]`).waitFor({ state: 'attached' })
  }
}

interface AxeViolation {
  id: string
  nodes: { html: string; target: string[]; failureSummary?: string }[]
}

/** What the function that is evaluated in the page finds there. */
interface PageGlobals {
  axe: { run(): Promise<{ violations: AxeViolation[] }> }
  document: { querySelector(selector: string): { closest(selector: string): unknown } | null }
}

/** The policy forbids script elements that are not files of the server: axe is evaluated instead. */
async function axeViolations(page: Page): Promise<{ id: string; nodes: string[] }[]> {
  await page.evaluate(await readFile(axeUrl, 'utf8'))
  return page.evaluate(async () => {
    const { axe, document } = globalThis as unknown as PageGlobals
    // Menus and lists of options lie beside the landmarks, at the end of the page, for as long as they are open.
    const isPopup = (selector: string | undefined): boolean =>
      Boolean(document.querySelector(selector ?? '')?.closest('[role=menu], [role=listbox]'))
    const { violations } = await axe.run()
    return violations
      .map(({ id, nodes }) => ({
        id,
        nodes: nodes
          .filter(({ target }) => id !== 'region' || !isPopup(target[0]))
          .map(({ html, failureSummary }) => `${html}\n${failureSummary}`),
      }))
      .filter(({ nodes }) => nodes.length > 0)
  })
}
