// Against a real QEMU without a machine, and against what a guest might send that has taken its QEMU over.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { DeadlineError } from '@wrenn/base'
import { Qmp } from './qmp.ts'

const program = 'qemu-system-x86_64'

let folder: string
let path: string
let sockets = 0
const qemus: ChildProcess[] = []
const servers: { server: Server; clients: Socket[] }[] = []
const clients: Qmp[] = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wrenn-qmp-'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const { server, clients } of servers.splice(0)) {
    for (const client of clients) client.destroy()
    server.close()
  }
  for (const child of qemus.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})
after(() => rm(folder, { recursive: true }))

function startQemu(): ChildProcess {
  path = join(folder, `${sockets++}.sock`)
  const args = [
    '-machine',
    'none',
    '-display',
    'none',
    '-nodefaults',
    '-qmp',
    `unix:${path},server=on,wait=off`,
  ]
  const child = spawn(program, args, { stdio: 'ignore' })
  qemus.push(child)
  return child
}

/** A server that answers `data` to whatever it is sent, in the pieces that it is given. */
async function startFake(answer: (line: string, write: (text: string) => void) => void): Promise<void> {
  path = join(folder, `${sockets++}.sock`)
  const clients: Socket[] = []
  const server = createServer((socket) => {
    clients.push(socket.on('error', () => undefined))
    const write = (text: string): void => void socket.write(text)
    answer('', write)
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line !== '') answer(line, write)
    })
  })
  servers.push({ server, clients })
  server.listen(path)
  await once(server, 'listening')
}

async function connect(alive = (): boolean => true, timeoutMs = 10_000): Promise<Qmp> {
  const qmp = await Qmp.connect(path, { timeoutMs, alive })
  clients.push(qmp)
  return qmp
}

const greeting = '{"QMP": {"version": {}, "capabilities": []}}\r\n'

test('commands are answered in their order, and errors say which and why', async () => {
  startQemu()
  const qmp = await connect()
  const [status, wrong, name, unknown] = await Promise.allSettled([
    qmp.execute('query-status'),
    qmp.execute('no-such-command'),
    qmp.execute('query-version'),
    qmp.execute('migrate-incoming', { uri: 'fd:3' }),
  ])
  assert.ok(status.status === 'fulfilled' && name.status === 'fulfilled')
  assert.equal(typeof (status.value as { status: string }).status, 'string')
  const { qemu } = name.value as { qemu: { major: number; minor: number; micro: number } }
  assert.equal(qmp.version, `${qemu.major}.${qemu.minor}.${qemu.micro}`)
  assert.ok(wrong.status === 'rejected' && unknown.status === 'rejected')
  assert.match(String(wrong.reason), /QMP no-such-command: .*no-such-command has not been found/)
  assert.match(String(unknown.reason), /QMP migrate-incoming: /)
})

test('a QEMU that is killed fails what waits and what comes later', async () => {
  const child = startQemu()
  const qmp = await connect()
  child.kill('SIGSTOP')
  const waiting = assert.rejects(qmp.execute('query-status'), /QMP query-status: /)
  child.kill('SIGKILL')
  await Promise.all([waiting, qmp.closed])
  await assert.rejects(qmp.execute('query-status'), /QMP query-status: QEMU is gone/)
})

test('a QEMU that ends before it listens is not waited for', async () => {
  path = join(folder, 'nobody-listens.sock')
  await assert.rejects(
    connect(() => false),
    /QEMU ended before it listened/,
  )
})

test('a socket that nobody ever listens on is waited for until the deadline, or an abort', async () => {
  path = join(folder, 'nobody-listens.sock')
  await assert.rejects(
    connect(() => true, 50),
    (error) => error instanceof DeadlineError,
  )
  const reason = new Error('no longer needed')
  const options = { timeoutMs: 10_000, alive: () => true, signal: AbortSignal.abort(reason) }
  await assert.rejects(Qmp.connect(path, options), (error) => error === reason)
})

test('a QEMU that does not greet is given up at the deadline: it may have another client', async () => {
  startQemu()
  const first = await connect()
  await assert.rejects(
    connect(() => true, 300),
    (error) => error instanceof DeadlineError,
  )
  await first.execute('query-status')
  first.close()
  const second = await connect()
  await second.execute('query-status')
})

test('answers come through in any pieces, with events between them', async () => {
  const pieces = [
    '{"event": "STOP", "timestamp": {}}\r\n{"ret',
    'urn": {"text": "',
    'a\\nb"}}',
    '\r',
    '\n{"event": "RESUME"}\r\n',
  ]
  await startFake((line, write) => {
    if (line === '') write(greeting)
    else if (line.includes('qmp_capabilities')) write('{"return": {}}\r\n')
    else for (const [index, piece] of pieces.entries()) setTimeout(() => write(piece), index * 5)
  })
  const qmp = await connect()
  assert.deepEqual(await qmp.execute('query-text'), { text: 'a\nb' })
  assert.deepEqual(await qmp.execute('query-text'), { text: 'a\nb' })
})

for (const junk of ['this is not JSON\r\n', 'null\r\n', 'x'.repeat(2 * 1024 * 1024)]) {
  test(`a QEMU that sends ${JSON.stringify(junk.slice(0, 20))} instead of an answer is cut off`, async () => {
    await startFake((line, write) => {
      if (line === '') write(greeting)
      else write(line.includes('qmp_capabilities') ? '{"return": {}}\r\n' : junk)
    })
    const qmp = await connect()
    await assert.rejects(qmp.execute('query-status'), /not QMP/)
    await qmp.closed
  })
}
