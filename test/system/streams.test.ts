// exec/stream with real VMs: messages in order, refusals before the upgrade, and every way in which a stream can end.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { MIB, pollUntil } from '@wrenn/base'
import { residentMib } from '../support/memory.ts'
import { TestPlatform } from '../support/real-platform.ts'
import { ExecStream, type StreamMessage } from '../support/streams.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User
let id: string
/** Begun first and looked at last: one takes nothing for longer than envd waits for readers, one says nothing. */
let stalled: { stream: ExecStream; since: number; received: () => number }
let silent: ExecStream

const floodBytes = 30_000_000

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
  id = (await user.create()).id
  stalled = await stalledReader()
  silent = await ExecStream.sh(user, id, 'exec sleep 600')
})

/** Of more output than all buffers on the way hold, in a sandbox of its own. */
async function stalledReader(): Promise<typeof stalled> {
  const own = await user.create()
  const stream = await ExecStream.open(user, own.id)
  const { webSocket } = stream
  let received = 0
  webSocket.removeAllListeners('message')
  webSocket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString()) as StreamMessage
    if (message.type === 'stdout') received += message.data?.length ?? 0
    else stream.messages.push(message)
  })
  stream.send({ type: 'start', cmd: 'sh', args: ['-c', `head -c ${floodBytes} /dev/zero | tr '\\0' x`] })
  await stream.pid()
  webSocket.pause()
  return { stream, since: performance.now(), received: () => received }
}

after(() => platform?.remove())

/** Whether the process is still there. */
async function isAlive(pid: number): Promise<boolean> {
  return (await user.run(id, { cmd: 'kill', args: ['-0', String(pid)] })).exit_code === 0
}

async function ends(pid: number): Promise<void> {
  await pollUntil('the process is gone', async () => ((await isAlive(pid)) ? undefined : true), {
    timeoutMs: 15_000,
  })
}

/** Whether a control plane answers. */
async function isServed(): Promise<boolean> {
  return fetch(`${platform.url}/health`).then(
    ({ ok }) => ok,
    () => false,
  )
}

test('start, output as it is written, exit, close', async () => {
  const stream = await ExecStream.sh(
    user,
    id,
    'echo out; echo err >&2; read line; echo "$line"; pwd; id -un; echo $A; exit 3',
    {
      stdin: 'in\n',
      cwd: '/tmp',
      user: 'user',
      envs: { A: 'ä b' },
    },
  )
  assert.equal(await stream.end(), 1000)
  assert.equal(stream.messages[0]?.type, 'start')
  assert.ok((stream.messages[0].pid ?? 0) > 1)
  assert.equal(stream.text('stdout'), 'out\nin\n/tmp\nuser\nä b\n')
  assert.equal(stream.text('stderr'), 'err\n')
  assert.deepEqual(stream.last, { type: 'exit', exit_code: 3 })
})

test('output comes while the command runs', async () => {
  const stream = await ExecStream.sh(user, id, 'echo early; sleep 600')
  await pollUntil('it came', () => stream.text('stdout') === 'early\n' || undefined, { timeoutMs: 10_000 })
  stream.send({ type: 'stop' })
  assert.equal(await stream.end(), 1000)
  assert.deepEqual(stream.last, { type: 'exit', exit_code: 143 })
})

test('what cannot be run has the exit codes of a shell; a wrong folder is an error', async () => {
  for (const [cmd, code] of [
    ['no-such-program', 127],
    ['/etc/passwd', 126],
  ] as const) {
    const stream = await ExecStream.open(user, id)
    stream.send({ type: 'start', cmd })
    assert.equal(await stream.end(), 1000)
    assert.deepEqual(stream.last, { type: 'exit', exit_code: code })
    assert.match(stream.text('stderr'), /program|passwd/)
  }
  const stream = await ExecStream.open(user, id)
  stream.send({ type: 'start', cmd: 'true', cwd: '/nowhere' })
  assert.equal(await stream.end(), 1011)
  assert.match(stream.text('error'), /nowhere/)
})

test('refusals come before the upgrade, in the Error shape', async () => {
  const stranger = await User.signUp(platform.url)
  const stopped = await user.create()
  await user.destroy(stopped.id)
  await assert.rejects(ExecStream.open(user, id, { headers: {} }), /401 unauthorized/)
  await assert.rejects(ExecStream.open(stranger, id), /404 not_found/)
  await assert.rejects(ExecStream.open(user, stopped.id), /409 invalid_state/)
  const { status, headers } = await user.call('execStream', 'GET', `/v1/sandboxes/${id}/exec/stream`)
  assert.deepEqual([status, headers.get('upgrade')], [426, 'websocket'])
})

test('a browser passes its token as a subprotocol', async () => {
  const protocols = ['wrenn.v1', `wrenn.token.${user.token}`]
  const stream = await ExecStream.open(user, id, { headers: {}, protocols })
  assert.equal(stream.webSocket.protocol, 'wrenn.v1')
  stream.send({ type: 'start', cmd: 'true' })
  assert.equal(await stream.end(), 1000)
  const forged = ['wrenn.v1', 'wrenn.token.a.b.c']
  await assert.rejects(ExecStream.open(user, id, { headers: {}, protocols: forged }), /401 unauthorized/)
})

test('a first message that is not a good start is an error and a close with 1008', async () => {
  const wrong: [unknown, RegExp][] = [
    ['not JSON', /start/],
    [{ type: 'stop' }, /start/],
    [null, /start/],
    [{ type: 'start' }, /cmd/],
    [{ type: 'start', cmd: 'true', colour: 'red' }, /colour/],
    [{ type: 'start', cmd: 'true', encoding: 'latin1' }, /encoding/],
  ]
  for (const [message, says] of wrong) {
    const stream = await ExecStream.open(user, id)
    stream.send(message)
    assert.equal(await stream.end(), 1008)
    assert.match(stream.text('error'), says)
  }
  const silent = await ExecStream.open(user, id)
  assert.equal(await silent.end(), 1008)
  assert.match(silent.text('error'), /10 s/)
})

test('stop ends what ignores SIGTERM after five seconds, and the group with it', async () => {
  const stream = await ExecStream.sh(user, id, "trap '' TERM; sleep 600 & echo $!; while :; do sleep 1; done")
  await pollUntil('it ignores SIGTERM', () => stream.text('stdout') !== '' || undefined, {
    timeoutMs: 10_000,
  })
  stream.send({ type: 'stop' })
  const started = performance.now()
  assert.equal(await stream.end(), 1000)
  assert.ok(performance.now() - started > 4_000)
  assert.deepEqual(stream.last, { type: 'exit', exit_code: 137 })
  await ends(Number(stream.text('stdout')))
})

test('a client that goes away stops its process', async () => {
  for (const leave of ['close', 'terminate'] as const) {
    const stream = await ExecStream.sh(user, id, 'while :; do echo x; sleep 0.1; done')
    const pid = await stream.pid()
    stream.webSocket[leave]()
    await ends(pid)
  }
})

test('characters that are cut by chunks arrive whole; broken ones are replaced; base64 is untouched', async () => {
  const line = String.raw`for b in '\360' '\237' '\246' '\234' '\377' '\303'; do printf $b; sleep 0.2; done`
  const text = await ExecStream.sh(user, id, line)
  await text.end()
  assert.equal(text.text('stdout'), '🦜\ufffd\ufffd')
  const bytes = await ExecStream.sh(user, id, line, { encoding: 'base64' })
  await bytes.end()
  const parts = bytes.messages
    .filter(({ type }) => type === 'stdout')
    .map(({ data = '' }) => Buffer.from(data, 'base64'))
  assert.deepEqual(Buffer.concat(parts), Buffer.from([0xf0, 0x9f, 0xa6, 0x9c, 0xff, 0xc3]))
})

test('a slow reader gets all of 100 MB, slows the command, and takes no memory', async () => {
  const processes = ['control-plane', 'host-agent'] as const
  const resident = (): Promise<number[]> =>
    Promise.all(processes.map(async (name) => residentMib((await platform.process(name)).pid)))
  const sizeBytes = 100_000_000
  const before = await resident()
  const stream = await ExecStream.open(user, id)
  const { webSocket } = stream
  let received = 0
  webSocket.removeAllListeners('message')
  webSocket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString()) as { type: string; data?: string }
    if (message.type === 'stdout') received += message.data?.length ?? 0
    else stream.messages.push(message as never)
  })
  stream.send({
    type: 'start',
    cmd: 'sh',
    args: ['-c', `head -c ${sizeBytes} /dev/zero | tr '\\0' x; echo done > /root/done`],
  })
  await stream.pid()
  webSocket.pause()
  const readers = 'cat /root/done 2>/dev/null || true'
  const during: number[][] = []
  // While nobody reads, the command waits: it is not done however often one asks.
  for (let round = 0; round < 10; round += 1) {
    assert.equal(await user.sh(id, readers), '')
    during.push(await resident())
  }
  webSocket.resume()
  assert.equal(await stream.end(), 1000)
  assert.equal(received, sizeBytes)
  during.push(await resident())
  for (const [index, name] of processes.entries()) {
    const most = Math.max(...during.map((each) => each[index] ?? Number.NaN))
    assert.ok(
      most - (before[index] ?? 0) <= 100 && most < 256,
      `${name}: ${before[index]} MiB, then ${most} MiB`,
    )
  }
})

test('ten streams at once do not mix', async () => {
  const streams = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      ExecStream.sh(user, id, `for i in 1 2 3; do echo ${index}; sleep 0.1; done`),
    ),
  )
  assert.deepEqual(await Promise.all(streams.map((stream) => stream.end())), Array(10).fill(1000))
  for (const [index, stream] of streams.entries()) assert.equal(stream.text('stdout'), `${index}\n`.repeat(3))
})

test('a stream is activity for as long as it is open', async () => {
  const stream = await ExecStream.sh(user, id, 'sleep 600')
  await stream.pid()
  const lastActive = async (): Promise<number> =>
    Date.parse((await user.list()).find((sandbox) => sandbox.id === id)?.last_active_at ?? '')
  const soon = (await lastActive()) + 4_000
  await pollUntil(
    'it is active although nothing happens',
    async () => (await lastActive()) > soon || undefined,
    { timeoutMs: 20_000 },
  )
  stream.webSocket.close()
})

test('a message of more than 1 MiB closes with 1009 and harms nobody', async () => {
  const stream = await ExecStream.open(user, id)
  stream.send({ type: 'start', cmd: 'true', stdin: 'x'.repeat(2 * MIB) })
  assert.equal(await stream.end(), 1009)
})

test('when the VM is killed, or destroyed, the client gets an error and a close', async () => {
  for (const how of ['killed', 'destroyed']) {
    const victim = await user.create()
    const stream = await ExecStream.sh(user, victim.id, 'while :; do echo x; sleep 0.1; done')
    await stream.pid()
    if (how === 'killed') {
      const state = await readFile(`${platform.folder}/sandboxes/${victim.id}/state.json`, 'utf8')
      process.kill(
        (JSON.parse(state) as { state: { process: { pid: number } } }).state.process.pid,
        'SIGKILL',
      )
    } else await user.destroy(victim.id)
    assert.equal(await stream.end(), 1011)
    assert.equal(stream.last?.type, 'error')
    if (how === 'killed') await user.destroy(victim.id)
  }
})

test('a client that says nothing is pinged, and stays', async () => {
  await pollUntil('two pings came', () => silent.pings >= 2 || undefined, { timeoutMs: 60_000 })
  assert.equal(silent.webSocket.readyState, silent.webSocket.OPEN)
  silent.webSocket.close()
})

test('a reader that took nothing for 40 s gets everything all the same', async () => {
  const { stream, since, received } = stalled
  await pollUntil('40 s are over', () => performance.now() - since > 40_000 || undefined, {
    timeoutMs: 60_000,
  })
  assert.ok(received() < floodBytes)
  stream.webSocket.resume()
  assert.equal(await stream.end(), 1000)
  assert.deepEqual(stream.last, { type: 'exit', exit_code: 0 })
  assert.equal(received(), floodBytes)
})

test('a control plane that is stopped tells its clients, and their commands end', async () => {
  const stream = await ExecStream.sh(user, id, 'exec sleep 600')
  const pid = await stream.pid()
  const controlPlane = await platform.process('control-plane')
  process.kill(controlPlane.pid, 'SIGTERM')
  assert.equal(await stream.end(), 1001)
  await pollUntil('the next one serves', async () => (await isServed()) || undefined, { timeoutMs: 30_000 })
  await ends(pid)
})

test('the host agent dies: the client gets an error and a close', async () => {
  const stream = await ExecStream.sh(user, id, 'sleep 600')
  await stream.pid()
  await platform.kill('host-agent')
  assert.equal(await stream.end(), 1011)
  assert.equal(stream.last?.type, 'error')
})
