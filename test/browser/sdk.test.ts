// The SDK in a browser, on a page of another origin than the platform's: what CORS lets through, the WebSocket's
// subprotocols instead of headers, and uploads by XMLHttpRequest.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import type * as Sdk from '@wrenn/sdk'
import type { Account } from '../support/api.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { buildSdk, type BuiltSdk } from '../support/built-sdk.ts'
import { untilAborted } from '../support/fake-agent.ts'
import { createPlatform, type Platform } from '../support/control-plane.ts'

/** What the page's own script puts on the window. */
type Page = { wrenn: Sdk.Wrenn; withKey: Sdk.Wrenn; id: string; WrennError: typeof Sdk.WrennError }

const window = globalThis as unknown as Page

describe('the SDK in a browser', () => {
  let built: BuiltSdk
  let site: Server
  let platform: Platform
  let account: Account
  let browser: TestBrowser
  let id: string

  before(async () => {
    built = await buildSdk()
    site = createServer(
      (request, response) =>
        void answer(request.url ?? '/').then((page) =>
          response.writeHead(200, { 'content-type': page.type }).end(page.content),
        ),
    )
    site.listen(0, '127.0.0.1')
    await new Promise((resolve) => site.once('listening', resolve))
    const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
    platform = await createPlatform({ corsOrigins: [origin] })
    account = await platform.api.account()
    id = (await platform.api.create(account)).id
    browser = await openBrowser([origin, platform.api.url])
    await browser.page.goto(origin)
    await browser.page.evaluate(
      async ({ baseUrl, token, apiKey, id, module }) => {
        const sdk = (await import(module)) as typeof Sdk
        Object.assign(window, {
          wrenn: new sdk.Wrenn({ baseUrl, token }),
          withKey: new sdk.Wrenn({ baseUrl, apiKey }),
          WrennError: sdk.WrennError,
          id,
        })
      },
      {
        baseUrl: platform.api.url,
        token: account.token,
        apiKey: account.apiKey,
        id,
        module: '/sdk/src/index.js',
      },
    )
  })

  after(async () => {
    await browser?.close()
    await platform?.remove()
    site?.close()
    await built?.remove()
  })

  async function answer(path: string): Promise<{ type: string; content: string }> {
    if (!path.endsWith('.js')) return { type: 'text/html', content: '<!doctype html><title>A page</title>' }
    const content = await readFile(join(built.packageFolder, path), 'utf8')
    return { type: 'text/javascript', content }
  }

  it('signs up, lists over pages, and reads request ids of errors', async () => {
    const seen = await browser.page.evaluate(async () => {
      const { wrenn, WrennError } = window
      const { id } = await wrenn.sandboxes.create()
      const { nextCursor } = await wrenn.sandboxes.listPage({ limit: 1 })
      const last = await wrenn.sandboxes.listPage({ limit: 1, cursor: nextCursor })
      await wrenn.sandboxes.destroy(id)
      const error = await wrenn.sandboxes.get('sb-none').catch((error: unknown) => error)
      if (!(error instanceof WrennError)) throw error
      const { code, status, requestId } = error
      return {
        hasNext: nextCursor !== undefined,
        last: last.sandboxes.map((each) => each.id),
        code,
        status,
        requestId,
      }
    })
    assert.match(seen.requestId ?? '', /^[0-9a-f]{24}$/)
    assert.deepEqual(
      { ...seen, requestId: '' },
      { hasNext: true, last: [id], code: 'not_found', status: 404, requestId: '' },
    )
  })

  it('streams a command with a token, and cannot with a key', async () => {
    const seen = await browser.page.evaluate(async () => {
      const { wrenn, withKey, id } = window
      const events: unknown[] = []
      for await (const event of wrenn.sandboxes.execStream(id, { cmd: 'echo', args: ['größer'] }))
        events.push(event)
      let refusal: unknown
      try {
        withKey.sandboxes.execStream(id, { cmd: 'echo' })
      } catch (error) {
        refusal = (error as Sdk.WrennError).code
      }
      return { events, refusal }
    })
    const events = [
      { type: 'start', pid: 7 },
      { type: 'stdout', data: 'größer' },
      { type: 'exit', exit_code: 0 },
    ]
    assert.deepEqual(seen, { events, refusal: 'unsupported' })
  })

  it('knows why a stream was refused', async () => {
    const codes = await browser.page.evaluate(async () => {
      const { sandboxes } = window.wrenn
      const codes: string[] = []
      const { id } = await sandboxes.create()
      await sandboxes.pause(id)
      for (const each of [id, 'sb-none'])
        try {
          for await (const _ of sandboxes.execStream(each, { cmd: 'echo' }));
        } catch (error) {
          codes.push((error as Sdk.WrennError).code)
        }
      await sandboxes.destroy(id)
      return codes
    })
    assert.deepEqual(codes, ['invalid_state', 'not_found'])
  })

  it('uploads with progress, from a Blob and from a stream, and downloads', async () => {
    const sizeBytes = 3_000_000
    const seen = await browser.page.evaluate(async (sizeBytes) => {
      const { files } = window.wrenn.sandboxes
      const bytes = Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 7) % 256)
      const progress: { doneBytes: number; totalBytes: number | undefined }[] = []
      const onProgress = (each: (typeof progress)[number]): void => void progress.push(each)
      await files.writeStream(window.id, '/root/a "b"\nc', new Blob([bytes]), { onProgress })
      await files.writeStream(window.id, '/root/stream', new Blob([bytes]).stream())
      const back = await files.read(window.id, '/root/stream')
      const { stream } = await files.readStream(window.id, '/root/stream')
      let streamed = 0
      const reader = stream.getReader()
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
        streamed += chunk.value.length
      const isSame = back.every((byte, index) => byte === bytes[index])
      return { progress, isSame, received: back.length, streamed }
    }, sizeBytes)
    assert.deepEqual(seen.progress.at(-1), { doneBytes: sizeBytes, totalBytes: sizeBytes })
    assert.deepEqual([seen.isSame, seen.received, seen.streamed], [true, sizeBytes, sizeBytes])
    assert.equal(platform.agent.files.get('/root/a "b"\nc')?.length, sizeBytes)
    assert.equal(platform.agent.files.get('/root/stream')?.length, sizeBytes)
  })

  it('throws what is wrong with an upload, and the reason of its signal', async () => {
    // It takes nothing until the upload is given up.
    platform.agent.on('writeFile', { before: untilAborted })
    const seen = await browser.page.evaluate(async () => {
      const { files } = window.wrenn.sandboxes
      const controller = new AbortController()
      const onProgress = (): void => undefined
      const message = (error: unknown): string =>
        `${(error as Sdk.WrennError).code ?? ''} ${(error as Error).message}`
      const refused = await files.write('sb-none', '/root/a', 'a', { onProgress }).catch(message)
      const abort = (): void => controller.abort(new Error('enough'))
      const upload = files.writeStream(window.id, '/root/b', new Blob([new Uint8Array(10_000_000)]), {
        onProgress: abort,
        signal: controller.signal,
      })
      return { refused, aborted: await upload.catch(message) }
    })
    assert.match(String(seen.refused), /^not_found /)
    assert.equal(seen.aborted, ' enough')
    assert.equal(platform.agent.files.has('/root/b'), false)
  })

  it('loads in a few kilobytes', async () => {
    const urls = browser.requested.filter((url) => url.endsWith('.js'))
    const files = await Promise.all(
      urls.map((url) => readFile(join(built.packageFolder, new URL(url).pathname))),
    )
    const whole = new Blob(files).stream().pipeThrough(new CompressionStream('gzip'))
    const { length } = await buffer(whole)
    assert.ok(length > 1_000 && length < 16_000, `${length} bytes`)
    assert.deepEqual(browser.refused, [])
  })
})
