import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { DeadlineError, pollUntil } from '@wrenn/base'
import { connectPersistently } from './connect.ts'

const never = new AbortController().signal
const host = '127.0.0.1'

let server: Server
let accepted: Socket[]

beforeEach(() => {
  accepted = []
  server = createServer((socket) => accepted.push(socket.on('error', () => undefined)))
})
afterEach(async () => {
  for (const socket of accepted) socket.destroy()
  server.close()
  await pollUntil('no socket is left', () => openResources().length === 0 || undefined, {
    timeoutMs: 5000,
  })
})

function openResources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'))
}

async function listen(port = 0): Promise<number> {
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

/** A port that nobody listens on. */
async function unusedPort(): Promise<number> {
  const port = await listen()
  server.close()
  await once(server, 'close')
  return port
}

test('a listener that is there is connected to at once, and only once', async () => {
  const socket = await connectPersistently({ host, port: await listen() }, { timeoutMs: 5000, signal: never })
  await pollUntil('it is accepted', () => accepted[0], { timeoutMs: 5000 })
  assert.equal(accepted.length, 1)
  socket.write('hello')
  const [data] = (await once(accepted[0] ?? assert.fail(), 'data')) as [Buffer]
  assert.equal(data.toString(), 'hello')
  socket.destroy()
})

test('a listener that comes late is waited for', async () => {
  const port = await unusedPort()
  const connecting = connectPersistently({ host, port }, { timeoutMs: 10_000, signal: never })
  const early = await Promise.race([
    connecting.then(() => 'connected'),
    new Promise((resolve) => setTimeout(() => resolve('refused so far'), 50)),
  ])
  assert.equal(early, 'refused so far')
  await listen(port)
  const socket = await connecting
  assert.equal(socket.remotePort, port)
  socket.destroy()
})

test('a port that refuses until the deadline is a DeadlineError with the refusal as its cause', async () => {
  const port = await unusedPort()
  await assert.rejects(connectPersistently({ host, port }, { timeoutMs: 60, signal: never }), (error) => {
    assert.ok(error instanceof DeadlineError)
    assert.match(String(error.cause), /ECONNREFUSED/)
    return true
  })
})

test('an abort ends the waiting with its reason', async () => {
  const port = await unusedPort()
  const controller = new AbortController()
  const reason = new Error('the VM is gone')
  const connecting = connectPersistently({ host, port }, { timeoutMs: 10_000, signal: controller.signal })
  setImmediate(() => controller.abort(reason))
  await assert.rejects(connecting, (error) => error === reason)
  await assert.rejects(
    connectPersistently({ host, port }, { timeoutMs: 10_000, signal: controller.signal }),
    (error) => error === reason,
  )
})

test('an abort after the connection is there does nothing to it', async () => {
  const controller = new AbortController()
  const options = { timeoutMs: 5000, signal: controller.signal }
  const socket = await connectPersistently({ host, port: await listen() }, options)
  controller.abort()
  await pollUntil('it is accepted', () => accepted[0], { timeoutMs: 5000 })
  accepted[0]?.end('still here')
  const [data] = (await once(socket, 'data')) as [Buffer]
  assert.equal(data.toString(), 'still here')
  socket.destroy()
})
