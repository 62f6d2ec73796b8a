// Streams against the real control plane and the fake agent, whose `yes` writes its arguments until nobody wants more,
// with Node's own WebSocket and with `ws`. What real commands do in them is tested in test/system.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { WebSocket as WsWebSocket } from 'ws'
import type { Account } from '../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../test/support/control-plane.ts'
import { Wrenn, type ExecEvent, type OpenWebSocket } from './index.ts'

const timeoutMs = 20_000
const viaWs: OpenWebSocket = (url, { protocols, headers }) => new WsWebSocket(url, protocols, { headers })
const isError = (code: string, more: object = {}) => ({ name: 'WrennError', code, ...more })

describe('execStream', () => {
  let platform: Platform
  let account: Account
  let wrenn: Wrenn
  let id: string

  before(async () => {
    platform = await createPlatform()
    account = await platform.api.account()
    wrenn = new Wrenn({ baseUrl: platform.api.url, apiKey: account.apiKey })
    id = (await wrenn.sandboxes.create()).id
  })

  after(() => platform?.remove())

  const clients = (): Record<string, Wrenn> => ({
    'a key, Node': wrenn,
    'a token, Node': new Wrenn({ baseUrl: platform.api.url, token: account.token }),
    'a key, ws': new Wrenn({ baseUrl: platform.api.url, apiKey: account.apiKey, webSocket: viaWs }),
    'a token, ws': new Wrenn({ baseUrl: platform.api.url, token: account.token, webSocket: viaWs }),
  })

  /** Settles when one more streamed command has ended than now. */
  const oneEnds = (): (() => Promise<unknown>) => {
    const { streamsEnded } = platform.agent
    return () =>
      pollUntil('the command ends', () => platform.agent.streamsEnded > streamsEnded || undefined, {
        timeoutMs,
      })
  }

  it('gives start, output and exit, with each credential and WebSocket', async () => {
    for (const [name, { sandboxes }] of Object.entries(clients())) {
      const events = await Array.fromAsync(sandboxes.execStream(id, { cmd: 'echo', args: ['größer'] }))
      const expected: ExecEvent[] = [
        { type: 'start', pid: 7 },
        { type: 'stdout', data: 'größer' },
        { type: 'exit', exit_code: 0 },
      ]
      assert.deepEqual(events, expected, name)
    }
  })

  it('gives bytes when asked for base64', async () => {
    const stream = wrenn.sandboxes.execStream(id, { cmd: 'echo', args: ['/wE='], encoding: 'base64' })
    const events = await Array.fromAsync(stream)
    assert.deepEqual(events[1], { type: 'stdout', data: Uint8Array.of(255, 1) })
  })

  it('puts no credential in the URL', async () => {
    for (const credential of [{ apiKey: account.apiKey }, { token: account.token }]) {
      const urls: string[] = []
      const webSocket: OpenWebSocket = (url, options) => {
        urls.push(url)
        return viaWs(url, options)
      }
      const { sandboxes } = new Wrenn({ baseUrl: platform.api.url, ...credential, webSocket })
      await Array.fromAsync(sandboxes.execStream(id, { cmd: 'echo' }))
      assert.deepEqual(urls, [`${platform.api.url.replace('http', 'ws')}/v1/sandboxes/${id}/exec/stream`])
    }
  })

  it('throws why it was refused', async () => {
    const stopped = await wrenn.sandboxes.create()
    await wrenn.sandboxes.destroy(stopped.id)
    const stranger = await platform.api.account()
    for (const webSocket of [undefined, viaWs]) {
      const as = (apiKey: string): Wrenn => new Wrenn({ baseUrl: platform.api.url, apiKey, webSocket })
      const run = ({ sandboxes }: Wrenn, sandbox: string): Promise<unknown> =>
        Array.fromAsync(sandboxes.execStream(sandbox, { cmd: 'echo' }))
      await assert.rejects(run(as('wrn_forged'), id), isError('unauthorized', { status: 401 }))
      await assert.rejects(run(as(stranger.apiKey), id), isError('not_found', { status: 404 }))
      await assert.rejects(run(wrenn, stopped.id), isError('invalid_state', { status: 409 }))
      await assert.rejects(
        Array.fromAsync(wrenn.sandboxes.execStream(id, { cmd: '' })),
        isError('invalid_request', { message: /cmd/ }),
      )
    }
  })

  it('throws when nothing listens, and when it does not open in time', async () => {
    const nobody = new Wrenn({ baseUrl: 'http://127.0.0.1:1', apiKey: account.apiKey })
    await assert.rejects(
      Array.fromAsync(nobody.sandboxes.execStream(id, { cmd: 'echo' })),
      isError('network_error'),
    )
    const never: OpenWebSocket = () => ({ addEventListener: () => {}, send: () => {}, close: () => {} })
    const hanging = new Wrenn({ baseUrl: platform.api.url, apiKey: account.apiKey, webSocket: never })
    const stream = hanging.sandboxes.execStream(id, { cmd: 'echo' }, { timeoutMs: 50 })
    await assert.rejects(Array.fromAsync(stream), isError('timeout'))
  })

  it('ends the command when the loop is left, and when the signal aborts', async () => {
    for (const { sandboxes } of Object.values(clients())) {
      const left = oneEnds()
      for await (const event of sandboxes.execStream(id, { cmd: 'yes', args: ['x'] }))
        if (event.type === 'stdout') break
      await left()

      const aborted = oneEnds()
      const reason = new Error('enough')
      const controller = new AbortController()
      const stream = sandboxes.execStream(id, { cmd: 'yes' }, { signal: controller.signal })
      await assert.rejects(async () => {
        for await (const event of stream) if (event.type === 'start') controller.abort(reason)
      }, reason)
      await aborted()
    }
  })

  it('ends nothing when the signal aborts after the end', async () => {
    const controller = new AbortController()
    const stream = wrenn.sandboxes.execStream(id, { cmd: 'echo' }, { signal: controller.signal })
    const [first, ...rest] = await Array.fromAsync(stream)
    controller.abort()
    assert.deepEqual([first?.type, rest.at(-1)?.type], ['start', 'exit'])
  })

  it('passes a stop on, once, also one that comes before the command', async () => {
    for (const early of [true, false]) {
      const before = platform.agent.count('stopCommand')
      const ended = oneEnds()
      const stream = wrenn.sandboxes.execStream(id, { cmd: 'yes' })
      if (early) stream.stop()
      for await (const event of stream) {
        if (event.type !== 'start') continue
        stream.stop()
        stream.stop()
        await pollUntil('it is stopped', () => platform.agent.count('stopCommand') > before || undefined, {
          timeoutMs,
        })
        break
      }
      await ended()
      assert.equal(platform.agent.count('stopCommand'), before + 1)
    }
  })

  it('fails instead of keeping output without an end, where the WebSocket cannot be paused', async () => {
    const ended = oneEnds()
    const stream = wrenn.sandboxes.execStream(
      id,
      { cmd: 'yes', args: ['x'.repeat(1_000)] },
      { maxBufferedBytes: 100_000 },
    )
    await ended()
    let bytes = 0
    await assert.rejects(async () => {
      for await (const event of stream) {
        if (event.type === 'stdout') bytes += event.data.length
        // One that had not ended by now would go on for as long as it is read.
        assert.ok(bytes < 1_000_000)
      }
    }, isError('slow_reader'))
    assert.ok(bytes > 90_000 && bytes < 110_000, `${bytes}`)
  })

  it('slows the command down where it can, and loses nothing', async () => {
    const { sandboxes } = new Wrenn({ baseUrl: platform.api.url, apiKey: account.apiKey, webSocket: viaWs })
    const ended = oneEnds()
    const start = platform.agent.written
    const args = ['x'.repeat(100_000)]
    const stream = sandboxes.execStream(id, { cmd: 'yes', args }, { maxBufferedBytes: 1_000_000 })
    let before = -1
    await pollUntil(
      'the command waits',
      () => {
        const waits = platform.agent.written > start && platform.agent.written === before
        before = platform.agent.written
        return waits || undefined
      },
      { timeoutMs, intervalMs: 200 },
    )
    const wanted = platform.agent.written - start + 100
    let received = 0
    for await (const event of stream) {
      if (event.type === 'stdout') received += event.data.length / 100_000
      if (received === wanted) break
    }
    assert.equal(received, wanted)
    await ended()
  })

  it('throws when the agent goes away, and when the server does', async () => {
    const { id: broken } = await wrenn.sandboxes.create()
    await assert.rejects(async () => {
      for await (const event of wrenn.sandboxes.execStream(broken, { cmd: 'yes' }))
        if (event.type === 'start') platform.agent.breakConnections()
    }, isError('agent_error'))
    const other = await platform.another()
    const theirs = new Wrenn({ baseUrl: other.url, apiKey: account.apiKey })
    await assert.rejects(async () => {
      for await (const event of theirs.sandboxes.execStream(id, { cmd: 'yes' }))
        if (event.type === 'start') void other.close()
    }, isError('unavailable'))
  })
})
