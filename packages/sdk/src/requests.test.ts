// Calls against the real control plane: answers, errors, pages, retries, deadlines. Connections that fail do so in the
// fetch that the client is given: after the real one has done its work, or instead of it.
import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { createPlatform, type Platform } from '../../../test/support/control-plane.ts'
import { untilAborted } from '../../../test/support/fake-agent.ts'
import { Wrenn, WrennError, type Fetch, type Sandbox } from './index.ts'

const isError = (code: string, more: object = {}) => ({ name: 'WrennError', code, ...more })

describe('the client', () => {
  let platform: Platform
  let baseUrl: string
  let apiKey: string

  before(async () => {
    platform = await createPlatform()
    baseUrl = platform.api.url
    apiKey = (await platform.api.account()).apiKey
  })

  after(() => platform?.remove())

  const client = (fetch?: Fetch, maxRetries?: number): Wrenn =>
    new Wrenn({ baseUrl, apiKey, fetch, maxRetries })

  it('lists every sandbox once, over pages, and only those that match', async () => {
    const { sandboxes } = new Wrenn({ baseUrl, apiKey: (await platform.api.account()).apiKey })
    const created: string[] = []
    for (let n = 0; n < 103; n += 1)
      created.push((await sandboxes.create({ metadata: { 'a/b': `x&${n % 2}` } })).id)
    const all: string[] = []
    for await (const { id } of sandboxes.list()) all.push(id)
    assert.deepEqual(all, created.toReversed())
    const odd: Sandbox[] = []
    for await (const sandbox of sandboxes.list({ status: 'running', metadata: { 'a/b': 'x&1' } }))
      odd.push(sandbox)
    assert.equal(odd.length, 51)
    const first = await sandboxes.listPage({ limit: 102 })
    const { nextCursor } = await sandboxes.listPage({ limit: 102, cursor: first.nextCursor })
    assert.deepEqual([first.sandboxes.length, nextCursor], [102, undefined])
  })

  it('throws what the server says, with status and request id', async () => {
    const { sandboxes, apiKeys } = client()
    const requestId = /^[0-9a-f]{24}$/
    await assert.rejects(sandboxes.get('sb-00000000'), isError('not_found', { status: 404, requestId }))
    await assert.rejects(apiKeys.list(), isError('unauthorized', { status: 401 }))
    await assert.rejects(sandboxes.create({ vcpus: 0 }), isError('invalid_request', { message: /vcpus/ }))
    const open = new Wrenn({ baseUrl })
    await assert.rejects(open.sandboxes.list().next(), isError('unauthorized'))
  })

  it('asks no other operation than it was asked for, whatever the id', async () => {
    let calls = 0
    const { sandboxes, snapshots } = client(async (url, init) => {
      calls += 1
      return fetch(url, init)
    })
    for (const id of ['', '.', '..']) await assert.rejects(sandboxes.destroy(id), isError('invalid_request'))
    assert.equal(calls, 0)
    await assert.rejects(snapshots.delete('../sandboxes'), isError('not_found'))
    assert.throws(() => sandboxes.execStream('..', { cmd: 'true' }), isError('invalid_request'))
  })

  it('answers with health also when something is down', async () => {
    assert.equal((await client().health()).status, 'ok')
    await platform.agent.stop()
    try {
      const { status, agent } = await client().health()
      assert.deepEqual([status, agent.status], ['unavailable', 'unavailable'])
    } finally {
      await platform.agent.start()
    }
  })

  it('creates one sandbox although the answer is lost twice', async () => {
    const { sandboxes } = new Wrenn({
      baseUrl,
      apiKey: (await platform.api.account()).apiKey,
      fetch: losing(2),
    })
    const { id } = await sandboxes.create()
    const all = await Array.fromAsync(sandboxes.list())
    assert.deepEqual(
      all.map((sandbox) => sandbox.id),
      [id],
    )
  })

  it('makes one snapshot although the answer is lost', async () => {
    const { sandboxes, snapshots } = client()
    const { id } = await sandboxes.create()
    const { name } = await client(losing(1)).snapshots.create({ sandbox_id: id, name: 'lost-and-found' })
    assert.equal(name, 'lost-and-found')
    const { id: other } = await sandboxes.create({ template: name })
    await assert.rejects(snapshots.create({ sandbox_id: other, name }), isError('already_exists'))
    await snapshots.create({ sandbox_id: other, name }, { overwrite: true })
    assert.deepEqual(
      (await snapshots.list({ type: 'snapshot' })).map((each) => each.name),
      [name],
    )
    await snapshots.delete(name)
  })

  it('sends no command twice', async () => {
    const { id } = await client().sandboxes.create()
    const before = platform.agent.count('exec')
    await assert.rejects(
      client(losing(1)).sandboxes.exec(id, { cmd: 'echo' }),
      isError('network_error', { status: undefined }),
    )
    assert.equal(platform.agent.count('exec'), before + 1)
    await assert.rejects(client(losing(1)).sandboxes.pause(id), isError('network_error'))
    assert.equal((await client().sandboxes.get(id)).status, 'paused')
  })

  it('sends again at most as often as it was told to', async () => {
    const counts: number[] = []
    for (const maxRetries of [0, 1]) {
      let calls = 0
      const failing: Fetch = async () => {
        calls += 1
        throw new TypeError('fetch failed')
      }
      await assert.rejects(
        client(failing, maxRetries).health(),
        isError('network_error', { message: /fetch failed/ }),
      )
      counts.push(calls)
    }
    assert.deepEqual(counts, [1, 2])
  })

  it('waits for a Retry-After: after 429 with everything, after 503 with what does no harm twice', async () => {
    const { id } = await client().sandboxes.create()
    const soon = { 'retry-after': '0' }
    const run = (fetch: Fetch): Promise<unknown> => client(fetch).sandboxes.exec(id, { cmd: 'echo' })
    await run(answering([refusal(429, 'rate_limited', soon)]))
    await client(
      answering([refusal(503, 'unavailable', soon), refusal(429, 'rate_limited', soon)]),
    ).sandboxes.get(id)
    await assert.rejects(
      run(answering([refusal(503, 'unavailable', soon)])),
      isError('unavailable', { retryAfterSec: 0 }),
    )
    await assert.rejects(run(answering([refusal(429, 'rate_limited', {})])), isError('rate_limited'))
    await assert.rejects(run(answering([refusal(500, 'internal_error', soon)])), isError('internal_error'))
    const date = new Date(Date.now() - 60_000).toUTCString()
    await run(answering([refusal(429, 'rate_limited', { 'retry-after': date })]))
  })

  it('does not wait for longer than half a minute, or than it has', async () => {
    const get = (after: string, timeoutMs: number): Promise<Sandbox> =>
      client(answering([refusal(429, 'rate_limited', { 'retry-after': after })])).sandboxes.get('x', {
        timeoutMs,
      })
    await assert.rejects(get('31', 100_000), isError('rate_limited', { retryAfterSec: 31 }))
    await assert.rejects(get('20', 10_000), isError('rate_limited', { retryAfterSec: 20 }))
  })

  it('ends a call that takes too long, and what the server does for it', async () => {
    const { sandboxes } = client()
    const { id } = await sandboxes.create()
    let ended = false
    const before = async (signal: AbortSignal): Promise<void> => {
      await untilAborted(signal)
      ended = true
    }
    platform.agent.on('exec', { before })
    try {
      await assert.rejects(
        sandboxes.exec(id, { cmd: 'echo' }, { timeoutMs: 300 }),
        isError('timeout', { message: /300 ms/ }),
      )
      await pollUntil('the agent hears of it', () => ended || undefined, { timeoutMs: 10_000 })
    } finally {
      platform.agent.heal()
    }
  })

  it('throws the reason of a signal: before, during, and while it waits to retry', async () => {
    const reason = new Error('not wanted any more')
    const aborted = AbortSignal.abort(reason)
    await assert.rejects(client().health({ signal: aborted }), reason)
    const during = new AbortController()
    const hanging: Fetch = async (url, init) => {
      during.abort(reason)
      return fetch(url, init)
    }
    await assert.rejects(client(hanging).health({ signal: during.signal }), reason)
    const waiting = new AbortController()
    const busy: Fetch = async () => {
      setImmediate(() => waiting.abort(reason))
      return refusal(429, 'rate_limited', { 'retry-after': '20' })
    }
    await assert.rejects(client(busy).health({ signal: waiting.signal }), reason)
  })

  it('takes a key nowhere else: a redirect is an error', async () => {
    let strangers = 0
    const stranger = await serve((_request, response) => {
      strangers += 1
      response.end()
    })
    const redirecting = await serve((_request, response) => {
      response.writeHead(307, { location: stranger.url }).end()
    })
    try {
      const wrenn = new Wrenn({ baseUrl: redirecting.url, apiKey, maxRetries: 0 })
      await assert.rejects(wrenn.sandboxes.get('x'), isError('network_error', { message: /redirect/ }))
      assert.equal(strangers, 0)
    } finally {
      for (const { server } of [stranger, redirecting]) server.close()
    }
  })

  it('says so when what answers is not Wrenn', async () => {
    const proxy: Fetch = async () => new Response('<h1>Bad gateway</h1>', { status: 502 })
    await assert.rejects(client(proxy).health(), isError('unexpected_answer', { status: 502 }))
    const cut: Fetch = async () =>
      new Response('{"status":', { headers: { 'content-type': 'application/json' } })
    await assert.rejects(client(cut).health(), isError('unexpected_answer', { status: 200 }))
  })
})

it('is one client for one caller at one address', () => {
  assert.throws(() => new Wrenn({ baseUrl: 'localhost:8080' }), TypeError)
  assert.throws(() => new Wrenn({ baseUrl: 'not an address' }), TypeError)
  assert.throws(() => new Wrenn({ baseUrl: 'http://a', apiKey: 'k', token: 't' }), TypeError)
})

it('keeps a path in front of the API', async () => {
  const urls: string[] = []
  const fetch: Fetch = async (url) => {
    urls.push(url)
    return new Response('{}', { headers: { 'content-type': 'application/json' } })
  }
  await new Wrenn({ baseUrl: 'https://example.com/wrenn/', fetch }).health()
  assert.deepEqual(urls, ['https://example.com/wrenn/health'])
})

it('is an Error that says what it is', () => {
  const error = new WrennError('not_found', 'There is none', { status: 404 })
  assert.ok(error instanceof Error)
  assert.equal(String(error), 'WrennError: There is none')
})

/** The real fetch, whose first answers are lost after the server has done what it was asked for. */
function losing(count: number): Fetch {
  let left = count
  return async (url, init) => {
    const response = await fetch(url, init)
    if (init.method === 'GET' || left === 0) return response
    left -= 1
    await response.text()
    throw new TypeError('fetch failed', { cause: new Error('other side closed') })
  }
}

/** These answers first, then the real ones. */
function answering(first: Response[]): Fetch {
  return async (url, init) => first.shift() ?? fetch(url, init)
}

function refusal(status: number, code: string, headers: Record<string, string>): Response {
  return new Response(JSON.stringify({ error: { code, message: code } }), { status, headers })
}

async function serve(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
