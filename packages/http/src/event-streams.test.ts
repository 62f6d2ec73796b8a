// Streams of events over a real socket: how they look, and all the ways in which they end.
import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { createLogger, pollUntil } from '@wrenn/base'
import { loadContract, type ServerEvent } from '@wrenn/contract'
import { createContractServer } from './server.ts'

const contract = loadContract<{ operations: { events: Events }; security: { events: never } }>(`
openapi: "3.1.0"
info: {title: t, version: "1"}
paths:
  /events:
    get:
      operationId: events
      security: []
      responses:
        "200":
          description: Events
          content:
            text/event-stream:
              schema: {type: string}
`)

interface Events {
  responses: { 200: { content: { 'text/event-stream': string } } }
}

let events: (signal: AbortSignal) => AsyncIterable<ServerEvent>
let signal: AbortSignal
let server: Awaited<ReturnType<typeof createContractServer>>

beforeEach(async () => {
  server = await createContractServer({
    contract,
    handlers: {
      events: async (call) => {
        signal = call.signal
        return { status: 200 as const, contentType: 'text/event-stream' as const, body: events(call.signal) }
      },
    },
    logger: createLogger('events', 'silent'),
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
})

afterEach(async () => {
  await server.closeGracefully(1_000)
})

function open(method = 'GET'): Promise<IncomingMessage> {
  const { port } = server.server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/events', method, agent: false }, resolve)
      .once('error', reject)
      .end()
  })
}

/** Yields `first`, and then nothing until the signal. */
async function* quiet(signal: AbortSignal, ...first: ServerEvent[]): AsyncGenerator<ServerEvent> {
  yield* first
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
}

const ended = (): Promise<true> =>
  pollUntil('the call is over', () => signal.aborted || undefined, { timeoutMs: 10_000 })

test('each event comes with its name and data, and nobody keeps or holds back any of it', async () => {
  events = async function* () {
    yield { event: 'ready', data: '{}' }
    yield { event: 'two', data: 'a\nb\r\nc' }
  }
  const answer = await open()
  assert.equal(answer.headers['content-type'], 'text/event-stream')
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.equal(answer.headers['x-accel-buffering'], 'no')
  assert.equal(await text(answer), ':\n\nevent: ready\ndata: {}\n\nevent: two\ndata: a\ndata: b\ndata: c\n\n')
  await ended()
})

test('the answer begins before the first event', async () => {
  events = (signal) => quiet(signal)
  const answer = await open()
  const [first] = (await answer.take(1).toArray()) as [Buffer]
  assert.equal(first.toString(), ':\n\n')
})

test('a client that leaves ends the iterable', async () => {
  let cleared = false
  events = async function* (signal) {
    try {
      yield* quiet(signal, { event: 'ready', data: '{}' })
    } finally {
      cleared = true
    }
  }
  const answer = await open()
  answer.destroy()
  await ended()
  await pollUntil('it is cleared up', () => cleared || undefined, { timeoutMs: 10_000 })
})

test('HEAD leaves nothing open', async () => {
  events = (signal) => quiet(signal, { event: 'ready', data: '{}' })
  assert.equal(await text(await open('HEAD')), '')
  await ended()
})

test('an iterable that fails breaks the connection', async () => {
  const failure = Promise.withResolvers<never>()
  events = async function* () {
    yield { event: 'ready', data: '{}' }
    await failure.promise
  }
  const answer = await open()
  failure.reject(new Error('the database is gone'))
  await assert.rejects(text(answer), { code: 'ECONNRESET' })
})

test('a client that does not read holds the iterable back', async () => {
  const data = 'x'.repeat(100_000)
  let yielded = 0
  events = async function* (signal) {
    for (; !signal.aborted; yielded += 1) yield { event: 'much', data }
  }
  const answer = await open()
  answer.pause()
  let before = -1
  await pollUntil(
    'it is held back',
    () => {
      const isStill = yielded === before
      before = yielded
      return isStill || undefined
    },
    { timeoutMs: 20_000, intervalMs: 300 },
  )
  // What the kernel's sockets hold.
  assert.ok(yielded * data.length < 20_000_000, `${yielded} events`)
  answer.destroy()
  await ended()
})

test('a server that goes away ends its streams at once, whether they are read or not', async () => {
  events = (signal) => quiet(signal, { event: 'ready', data: 'x' })
  const read = await open()
  events = (signal) => quiet(signal, { event: 'ready', data: 'x'.repeat(10_000_000) })
  const unread = await open()
  unread.once('error', () => undefined).pause()
  const whole = text(read)
  const startedAt = performance.now()
  await server.closeGracefully(30_000)
  assert.ok(performance.now() - startedAt < 10_000)
  assert.match(await whole, /x\n\n$/)
  await ended()
})

test('a comment breaks the silence', async () => {
  mock.timers.enable({ apis: ['setInterval'] })
  try {
    events = (signal) => quiet(signal)
    const answer = await open()
    let received = ''
    answer.on('data', (chunk: Buffer) => (received += chunk.toString()))
    const untilReceived = (wanted: string): Promise<true> =>
      pollUntil('a comment comes', () => received === wanted || undefined, { timeoutMs: 10_000 })
    await untilReceived(':\n\n')
    mock.timers.tick(15_000)
    await untilReceived(':\n\n:\n\n')
    answer.destroy()
  } finally {
    mock.timers.reset()
  }
})
