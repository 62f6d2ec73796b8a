// Bodies on real connections: whole or broken off, at the pace of the reader, and with no memory of them kept.
import assert from 'node:assert/strict'
import {
  createServer,
  request,
  type ClientRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { pollUntil } from './deadline.ts'
import { freeChunk, freeWhatIsRead, pipeBody } from './pipe-body.ts'
import { KIB, MIB } from './units.ts'

test('a chunk is freed, a part of a larger piece is not', () => {
  const chunk = Buffer.alloc(64 * KIB, 'x')
  const part = Buffer.alloc(64 * KIB, 'x').subarray(1)
  freeChunk(chunk)
  freeChunk(part)
  assert.deepEqual([chunk.length, part.length], [0, 64 * KIB - 1])
})

test('a body arrives whole, and its chunks are freed', async (t) => {
  const received: Promise<Buffer>[] = []
  const server = await listen(t, (incoming, outgoing) => {
    received.push(buffer(incoming))
    incoming.once('end', () => outgoing.end())
  })
  const chunks = Array.from({ length: 50 }, (_, index) => Buffer.alloc(100_000, String(index)))
  const sent = Buffer.concat(chunks)
  pipeBody(Readable.from(chunks, { objectMode: false }), post(server), freeChunk)
  await pollUntil('all are freed', () => chunks.every(({ length }) => length === 0) || undefined, {
    timeoutMs: 5_000,
  })
  assert.deepEqual(await received[0], sent)
})

test('a source that breaks off breaks the target', async (t) => {
  const server = await listen(t, (incoming) => void incoming.resume())
  const outgoing = post(server)
  const source = new Readable({ read: () => undefined })
  pipeBody(source, outgoing)
  source.push('a beginning')
  const failed = new Promise<Error>((resolve) => outgoing.once('error', resolve))
  source.destroy(new Error('broken off'))
  assert.equal((await failed).message, 'broken off')
})

test('nobody reads: no more is taken from the source than connection and buffers hold', async (t) => {
  const server = await listen(t, () => undefined)
  let taken = 0
  const source = new Readable({
    read(size) {
      taken += size
      this.push(Buffer.alloc(size))
    },
  })
  const outgoing = post(server)
  pipeBody(source, outgoing)
  await pollUntil('the target is full', () => source.isPaused() || undefined, { timeoutMs: 5_000 })
  assert.ok(taken < 8 * MIB, `${taken} bytes`)
  outgoing.on('error', () => undefined).destroy()
})

test('what a connection reads is freed after its parser had it, answer after answer', async (t) => {
  const content = Buffer.alloc(3 * MIB, 'content')
  const server = await listen(t, (_incoming, outgoing) => outgoing.end(content))
  const reads: Buffer[] = []
  for (let answer = 0; answer < 2; answer += 1) {
    const outgoing = post(server)
    outgoing.once('socket', (socket) => socket.prependListener('data', (chunk: Buffer) => reads.push(chunk)))
    freeWhatIsRead(outgoing)
    const incoming = new Promise<IncomingMessage>((resolve) => outgoing.once('response', resolve))
    outgoing.end()
    assert.deepEqual(await buffer(await incoming), content)
  }
  assert.ok(reads.length > 20)
  assert.deepEqual(
    reads.filter(({ length }) => length > 0),
    [],
  )
})

async function listen(
  t: TestContext,
  serve: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(serve).listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return server
}

function post(server: Server): ClientRequest {
  return request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST' })
}
