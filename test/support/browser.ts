// Debian's Chromium, without a window, with a profile and a network of its own, driven by playwright-core. Only the
// origins that a test names are reached: everything else is refused and kept for the test to look at.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { forwardTo } from './forward.ts'

const executablePath = join(import.meta.dirname, 'chromium-alone.sh')
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

/** `origins`: as in "http://127.0.0.1:8080", of this machine. Returns with an empty page. */
export async function openBrowser(origins: readonly string[]): Promise<TestBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'wrenn-chromium-'))
  const ways = await openWays(folder, origins)
  const clear = async (): Promise<void> => {
    for (const { server } of ways) server.close()
    await rm(folder, { recursive: true, force: true })
  }
  const forwards = Object.fromEntries(ways.map(({ port, path }) => [port, path]))
  const context = await chromium
    .launchPersistentContext(join(folder, 'profile'), {
      executablePath,
      // Chromium takes names of files by the locale.
      env: { ...process.env, LC_ALL: 'C.UTF-8', WRENN_TEST_FORWARDS: JSON.stringify(forwards) },
      args: quiet,
      chromiumSandbox: false,
      timeout: timeoutMs,
      serviceWorkers: 'block',
    })
    .catch(async (error: unknown) => {
      await clear()
      throw error
    })
  context.setDefaultTimeout(timeoutMs)
  const requested: string[] = []
  const refused: string[] = []
  const complaints: string[] = []
  // What is refused has no network. Only looked at: intercepted requests would go past the browser's cache.
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (/^https?:$/.test(protocol)) (origins.includes(origin) ? requested : refused).push(request.url())
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
      await clear()
    },
  }
}

/** From the browser's network to the servers of the origins. */
async function openWays(
  folder: string,
  origins: readonly string[],
): Promise<{ port: number; path: string; server: Server }[]> {
  const ports = new Set(origins.map((origin) => Number(new URL(origin).port)))
  return Promise.all(
    [...ports].map(async (port) => {
      const path = join(folder, `${port}.sock`)
      const server = createServer((socket) => forwardTo(socket, { port, host: '127.0.0.1' })).listen(path)
      await new Promise((resolve) => server.once('listening', resolve))
      return { port, path, server }
    }),
  )
}
