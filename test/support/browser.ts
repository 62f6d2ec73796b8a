// Debian's Chromium, without a window and with a profile of its own, driven by playwright-core. Only the origins that a
// test names are reached: everything else is refused and kept for the test to look at.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'

const executablePath = '/usr/bin/chromium'
const timeoutMs = 60_000
/** Chromium calls home for updates and much else unless it is told not to. */
const quiet = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface TestBrowser {
  page: Page
  /** URLs that pages asked for, in order: those of the origins allowed, and those refused. */
  requested: string[]
  refused: string[]
  /** What the browser complained about: errors of scripts, and on the console. */
  complaints: string[]
  close(): Promise<void>
}

/** `origins`: as in "http://127.0.0.1:8080". Returns with an empty page. */
export async function openBrowser(origins: readonly string[]): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'wrenn-chromium-'))
  const context = await chromium
    .launchPersistentContext(profile, {
      executablePath,
      args: quiet,
      chromiumSandbox: false,
      timeout: timeoutMs,
      serviceWorkers: 'block',
    })
    .catch(async (error: unknown) => {
      await rm(profile, { recursive: true, force: true })
      throw error
    })
  context.setDefaultTimeout(timeoutMs)
  const requested: string[] = []
  const refused: string[] = []
  const complaints: string[] = []
  await context.route('**', async (route) => {
    const url = route.request().url()
    const isAllowed = origins.includes(new URL(url).origin)
    ;(isAllowed ? requested : refused).push(url)
    await (isAllowed ? route.continue() : route.abort())
  })
  context.on('weberror', (error) => void complaints.push(error.error().message))
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  const page = context.pages()[0] ?? (await context.newPage())
  return {
    page,
    requested,
    refused,
    complaints,
    close: async () => {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}
