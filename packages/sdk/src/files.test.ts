// Transfers against the real control plane and the fake agent. Sizes, pace and broken connections with real sandboxes are
// in test/system, XMLHttpRequest is in test/browser.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { buffer, text } from 'node:stream/consumers'
import { pollUntil } from '@wrenn/base'
import { createPlatform, type Platform } from '../../../test/support/control-plane.ts'
import { Wrenn, type Fetch, type Files, type StreamContent } from './index.ts'

const isError = (code: string, more: object = {}) => ({ name: 'WrennError', code, ...more })
const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256)

describe('files', () => {
  let platform: Platform
  let apiKey: string
  let files: Files
  let id: string

  before(async () => {
    platform = await createPlatform()
    apiKey = (await platform.api.account()).apiKey
    const { sandboxes } = client()
    files = sandboxes.files
    id = (await sandboxes.create()).id
  })

  after(() => platform?.remove())

  const client = (fetch?: Fetch): Wrenn => new Wrenn({ baseUrl: platform.api.url, apiKey, fetch })
  const stored = (path: string): Buffer => platform.agent.files.get(path) ?? Buffer.from('nothing')

  it('come back as they were written, whatever they are made of', async () => {
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000)
    }
    const contents: Record<string, () => StreamContent> = {
      bytes: () => bytes,
      buffer: () => bytes.buffer,
      blob: () => new Blob([bytes]),
      stream: () => new Blob([bytes]).stream(),
      iterable: parts,
    }
    for (const [name, content] of Object.entries(contents)) {
      const path = `/root/${name}`
      await files.writeStream(id, path, content())
      assert.deepEqual(stored(path), Buffer.from(bytes), name)
      assert.deepEqual(Buffer.from(await files.read(id, path)), Buffer.from(bytes))
    }
    await files.write(id, '/root/text', 'größer')
    const { stream, sizeBytes } = await files.readStream(id, '/root/text')
    assert.deepEqual([await text(stream), sizeBytes], ['größer', 8])
    await files.write(id, '/root/empty', '')
    assert.equal((await files.read(id, '/root/empty')).byteLength, 0)
  })

  it('keep every character of their path', async () => {
    for (const path of ['/root/a "b"; c', '/root/größer 🦜', '/root/line\nfeed\r\nand % %22']) {
      await files.write(id, path, path)
      assert.equal(stored(path).toString(), path)
      assert.deepEqual(Buffer.from(await files.read(id, path)).toString(), path)
    }
  })

  it('tell how far they are', async () => {
    const seen: { doneBytes: number; totalBytes: number | undefined }[] = []
    const onProgress = (progress: (typeof seen)[number]): void => void seen.push(progress)
    const assertProgress = (totalBytes: number | undefined): void => {
      const done = seen.splice(0)
      assert.ok(done.length > 1)
      assert.deepEqual(done.at(-1), { doneBytes: bytes.length, totalBytes })
      assert.ok(done.every(({ doneBytes }, index) => doneBytes > (done[index - 1]?.doneBytes ?? 0)))
    }
    await files.write(id, '/root/progress', new Blob([bytes]), { onProgress })
    assertProgress(bytes.length)
    await files.writeStream(id, '/root/progress', new Blob([bytes]).stream(), { onProgress })
    assertProgress(undefined)
    await files.read(id, '/root/progress', { onProgress })
    assertProgress(bytes.length)
    const { stream } = await files.readStream(id, '/root/progress', { onProgress })
    await buffer(stream)
    assertProgress(bytes.length)
  })

  it('are written again when a connection fails, unless their content is gone by then', async () => {
    const failing = (): Files => {
      let failed = false
      return client(async (url, init) => {
        if (failed) return fetch(url, init)
        failed = true
        await fetch(url, init)
        throw new TypeError('fetch failed')
      }).sandboxes.files
    }
    await failing().write(id, '/root/again', 'again')
    assert.equal(stored('/root/again').toString(), 'again')
    assert.equal(Buffer.from(await failing().read(id, '/root/again')).toString(), 'again')
    await assert.rejects(
      failing().writeStream(id, '/root/once', new Blob(['once']).stream()),
      isError('network_error'),
    )
  })

  it('are not there when their content fails, and its own error comes out', async () => {
    const own = new Error('the disk of the client is broken')
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes
      throw own
    }
    await assert.rejects(files.writeStream(id, '/root/broken', broken()), own)
    assert.equal(platform.agent.files.has('/root/broken'), false)
  })

  it('let go of their content when the transfer is refused', async () => {
    let released = false
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield bytes
      } finally {
        released = true
      }
    }
    const { id: stopped } = await client().sandboxes.create()
    await client().sandboxes.pause(stopped)
    await assert.rejects(files.writeStream(stopped, '/root/x', endless()), isError('invalid_state'))
    await pollUntil('it is let go of', () => released || undefined, { timeoutMs: 10_000 })
  })

  it('end with a signal: an upload, a download that is read, and one that is cancelled', async () => {
    const reason = new Error('enough')
    const uploading = new AbortController()
    const waits = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes
      uploading.abort(reason)
      await new Promise(() => undefined)
    }
    await assert.rejects(files.writeStream(id, '/root/x', waits(), { signal: uploading.signal }), reason)
    platform.agent.files.set('/root/large', Buffer.alloc(50_000_000))
    const downloading = new AbortController()
    const { stream } = await files.readStream(id, '/root/large', { signal: downloading.signal })
    const reader = stream.getReader()
    assert.ok(((await reader.read()).value?.byteLength ?? 0) > 0)
    downloading.abort(reason)
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    }, reason)
    const late = await files.readStream(id, '/root/large', { timeoutMs: 1_000 })
    await late.stream.cancel()
  })

  it('throw what is wrong with them', async () => {
    await assert.rejects(files.read(id, '/root/none'), isError('not_found', { status: 404 }))
    await assert.rejects(files.readStream(id, 'relative'), isError('invalid_request', { message: /path/ }))
    await assert.rejects(files.write(id, 'relative', ''), isError('invalid_request', { message: /path/ }))
    await assert.rejects(
      files.write(id, '/root/big', new Uint8Array(102 * 1024 * 1024)),
      isError('too_large'),
    )
  })
})
