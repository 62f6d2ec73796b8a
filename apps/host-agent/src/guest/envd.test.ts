// Against servers that answer as no envd does: a guest may have replaced it.
import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { afterEach, test } from 'node:test'
import { AppError, DeadlineError, pollUntil } from '@wrenn/base'
import { envdPort } from '../network/addresses.ts'
import { Envd } from './envd.ts'
import { exec } from './exec.ts'
import { encodeFrame } from './frames.ts'

const identity = {
  accessToken: 'new token',
  hostname: 'sb-test',
  machineId: '0'.repeat(32),
  entropy: randomBytes(32),
}
const gone = new AppError('agent_error', 'the test is over')

let server: Server | undefined
let client: Envd | undefined
afterEach(async () => {
  client?.close(gone)
  server?.closeAllConnections()
  server?.close()
  await pollUntil('no socket is left', () => !process.getActiveResourcesInfo().some(isTcp) || undefined, {
    timeoutMs: 5000,
  })
})

const isTcp = (resource: string): boolean => resource.startsWith('TCP')

async function guest(answer: RequestListener): Promise<Envd> {
  const host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`
  server = createServer(answer).listen(envdPort, host)
  await once(server, 'listening')
  client = new Envd(host, 'old token')
  return client
}

/** Answers Start with this frame. */
const frame =
  (json: unknown): RequestListener =>
  (_request, response) => {
    response.end(encodeFrame(json))
  }

const command = { cmd: 'true', args: [], timeoutSec: 30 }

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString())
}

test("a guest's identity is sent under the old token, and everything later under the new one", async () => {
  const requests: { path: string | undefined; token: unknown; body?: unknown }[] = []
  const envd = await guest((request, response) => {
    void (async () => {
      const body = request.url === '/init' ? { body: await bodyOf(request) } : {}
      requests.push({ path: request.url, token: request.headers['x-access-token'], ...body })
      response.writeHead(204).end()
    })()
  })
  const before = Date.now()
  await envd.init(identity, { timeoutMs: 5000 })
  await envd.quiesce({ freeze: false, timeoutMs: 10_000 })
  const sent = requests[0]?.body as { timestamp: string }
  assert.deepEqual(requests, [
    {
      path: '/init',
      token: 'old token',
      body: {
        ...identity,
        entropy: identity.entropy.toString('base64'),
        thaw: false,
        timestamp: sent.timestamp,
      },
    },
    { path: '/quiesce', token: 'new token' },
  ])
  assert.ok(Date.parse(sent.timestamp) >= before)
})

test('a guest that was slow to hear the time is told it again, and nothing else', async () => {
  const bodies: object[] = []
  const envd = await guest((request, response) => {
    void (async () => {
      bodies.push((await bodyOf(request)) as object)
      const answer = (): unknown => response.writeHead(204).end()
      if (bodies.length === 1) setTimeout(answer, 300)
      else answer()
    })()
  })
  await envd.init(identity, { timeoutMs: 5000, thaw: true })
  assert.deepEqual(
    bodies.map((body) => Object.keys(body)),
    [['accessToken', 'hostname', 'machineId', 'entropy', 'thaw', 'timestamp'], ['timestamp']],
  )
  const [first, second] = bodies.map((body) => Date.parse((body as { timestamp: string }).timestamp))
  assert.ok((second ?? 0) - (first ?? 0) >= 290)
})

test('a refusal is an error with what the guest says, however much that is, and the token stays', async () => {
  const tokens: unknown[] = []
  const envd = await guest((request, response) => {
    tokens.push(request.headers['x-access-token'])
    response.writeHead(500)
    const timer = setInterval(() => response.write('no entropy '.repeat(100)), 1)
    response.on('close', () => clearInterval(timer))
  })
  for (let attempt = 0; attempt < 2; attempt++)
    await assert.rejects(envd.init(identity, { timeoutMs: 5000 }), (error) => {
      assert.match(String(error), /envd answered \/init with 500: no entropy/)
      assert.ok(String(error).length < 1000)
      return true
    })
  assert.deepEqual(tokens, ['old token', 'old token'])
})

test('a refusal that never ends is cut at the deadline', async () => {
  const envd = await guest((_request, response) => void response.writeHead(500).write('because'))
  await assert.rejects(envd.init(identity, { timeoutMs: 100 }), /with 500: .*not done within 100 ms/)
})

test('a call that is not answered in time is given up, on both sides', async () => {
  const closed = Promise.withResolvers<true>()
  const envd = await guest((request) => void request.on('close', () => closed.resolve(true)).resume())
  await assert.rejects(envd.init(identity, { timeoutMs: 100 }), (error) => error instanceof DeadlineError)
  assert.equal(await closed.promise, true)
})

test('an abort, or a close, while the guest does not even listen ends the call at once', async () => {
  const envd = await guest(() => undefined)
  server?.close()
  const reason = new Error('the VM does not run')
  const controller = new AbortController()
  const aborted = envd.init(identity, { timeoutMs: 60_000, signal: controller.signal })
  const closed = envd.quiesce({ freeze: false, timeoutMs: 10_000 })
  setImmediate(() => controller.abort(reason))
  const began = performance.now()
  await assert.rejects(aborted, (error) => error === reason)
  envd.close(gone)
  await assert.rejects(closed, (error) => error === gone)
  assert.ok(performance.now() - began < 5000)
})

test('events of another shape are an error', async () => {
  const shapes = [
    { event: { start: { pid: '7' } } },
    { event: { data: { stdout: { length: 2 ** 31 } } } },
    { event: { end: { exitCode: 'zero' } } },
    { error: 'text' },
    null,
    [],
  ]
  for (const shape of shapes) {
    await assert.rejects(exec(await guest(frame(shape)), command))
    client?.close(gone)
    server?.close()
  }
})

test('a stream that ends without telling the exit code is an error', async () => {
  const envd = await guest(frame({ event: { data: { stdout: 'eA==' } } }))
  await assert.rejects(exec(envd, command), { code: 'agent_error' })
})

test('a guest that refuses to start commands is an error', async () => {
  const envd = await guest((_request, response) => void response.writeHead(401).end('{}'))
  await assert.rejects(exec(envd, command), { code: 'agent_error', message: /401/ })
})
