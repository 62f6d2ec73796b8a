// `events()` when the connection breaks, is refused, or is none: against the real control plane, and servers that behave
// as it would not.
import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import {
  startControlPlaneProcess,
  type ControlPlaneProcess,
} from '../../../test/support/control-plane-process.ts'
import { createPlatform, type Platform } from '../../../test/support/control-plane.ts'
import { TeamView } from '../../../test/support/team-view.ts'
import { Wrenn, WrennError, type TeamEvent } from './index.ts'

describe('the events of a team', () => {
  let platform: Platform
  let apiKey: string
  const running: ControlPlaneProcess[] = []

  before(async () => {
    platform = await createPlatform()
    apiKey = (await platform.api.account()).apiKey
  })

  after(async () => {
    await Promise.all(running.map((process) => process.kill()))
    await platform?.remove()
  })

  it('go on when the control plane is killed and starts again, and nothing is missed', async () => {
    const settings = {
      DATABASE_URL: platform.databaseUrl,
      JWT_SECRET: 'a secret for tests, long enough for HS256',
      WRENN_AGENT_SOCKET: platform.agent.socketPath,
      LOG_LEVEL: 'info',
    }
    const first = await startControlPlaneProcess(settings)
    running.push(first)
    const wrenn = new Wrenn({ baseUrl: first.url, apiKey })
    const view = await TeamView.follow(wrenn)
    try {
      await wrenn.sandboxes.create()
      await view.untilRight()
      await first.kill()
      await new Wrenn({ baseUrl: platform.api.url, apiKey }).sandboxes.create()
      await view.until('it has noticed', () => view.disconnects > 0)
      const { host } = new URL(first.url)
      running.push(await startControlPlaneProcess({ ...settings, CP_LISTEN_ADDR: host }))
      await view.until('it is ready again', () => view.readies === 2)
      await view.untilRight()
      assert.equal(view.sandboxes.size, 2)
    } finally {
      await view.close()
    }
  })

  it('come one by one to a loop, which may be left', async () => {
    const wrenn = new Wrenn({ baseUrl: platform.api.url, apiKey })
    let created: Promise<unknown> | undefined
    const seen: TeamEvent['type'][] = []
    for await (const event of wrenn.events()) {
      seen.push(event.type)
      if (event.type === 'ready') created = wrenn.sandboxes.create()
      if (event.type === 'sandbox' && event.sandbox.status === 'running') break
    }
    await created
    assert.equal(seen[0], 'ready')
  })

  it('end with the refusal of a credential that is worth nothing', async () => {
    const wrenn = new Wrenn({ baseUrl: platform.api.url, apiKey: `wrn_${'0'.repeat(40)}` })
    await assert.rejects(wrenn.events().next(), { code: 'unauthorized', status: 401 })
  })

  it('end with the reason of the signal, while they come, wait or try', async () => {
    for (const baseUrl of [platform.api.url, 'http://127.0.0.1:1']) {
      const controller = new AbortController()
      const events = new Wrenn({ baseUrl, apiKey }).events({ signal: controller.signal })
      const all = (async () => {
        for await (const _ of events) setTimeout(() => controller.abort(new Error('enough')), 20)
      })()
      if (baseUrl.endsWith(':1')) setTimeout(() => controller.abort(new Error('enough')), 20)
      await assert.rejects(all, { message: 'enough' })
    }
  })
})

describe('events of a server that', () => {
  let server: Server | undefined

  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
  })

  async function serve(answer: RequestListener): Promise<Wrenn> {
    server = createServer(answer).listen(0, '127.0.0.1')
    await pollUntil('it listens', () => server?.address() ?? undefined, { timeoutMs: 5_000 })
    const { port } = server.address() as AddressInfo
    return new Wrenn({ baseUrl: `http://127.0.0.1:${port}`, apiKey: 'wrn_any' })
  }

  const stream = { 'content-type': 'text/event-stream' }

  it('is away for a while are waited for, with word of each attempt', async () => {
    let calls = 0
    const wrenn = await serve((request, response) => {
      calls += 1
      if (calls === 1) request.socket.destroy()
      else if (calls === 2)
        response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>')
      else if (calls === 3) response.writeHead(200, stream).end()
      else response.writeHead(200, stream).write('event: ready\ndata: {}\n\n')
    })
    const lost: string[] = []
    const events = wrenn.events({ onDisconnect: ({ code }) => void lost.push(code) })
    assert.deepEqual(await events.next(), { done: false, value: { type: 'ready' } })
    assert.deepEqual(lost, ['network_error', 'unexpected_answer', 'network_error'])
    await events.return()
  })

  it('says when to come back are waited for so long', async () => {
    const times: number[] = []
    const wrenn = await serve((_request, response) => {
      times.push(performance.now())
      const error = { error: { code: 'rate_limited', message: 'Too many' } }
      if (times.length > 1) response.writeHead(200, stream).write('event: ready\ndata: {}\n\n')
      else
        response
          .writeHead(429, { 'retry-after': '1', 'content-type': 'application/json' })
          .end(JSON.stringify(error))
    })
    const events = wrenn.events()
    await events.next()
    assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 990)
    await events.return()
  })

  it('is not Wrenn end at once', async () => {
    const wrenn = await serve((_request, response) => response.writeHead(200).end('hello'))
    await assert.rejects(wrenn.events().next(), (error) => {
      assert.ok(error instanceof WrennError)
      return error.code === 'unexpected_answer'
    })
  })

  it('is newer may have events that are not known here', async () => {
    const wrenn = await serve((_request, response) =>
      response.writeHead(200, stream).write('event: news\ndata: {}\n\nevent: ready\ndata: {}\n\n'),
    )
    const events = wrenn.events()
    assert.deepEqual((await events.next()).value, { type: 'ready' })
    await events.return()
  })
})
