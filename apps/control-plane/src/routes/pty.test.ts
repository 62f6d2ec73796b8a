// pty's messages, and what becomes of them when somebody goes away, is slow or says nonsense. What terminals do is tested
// with real VMs, in test/system.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { newId, pollUntil } from '@wrenn/base'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { PtyStream } from '../../../../test/support/streams.ts'
import { User } from '../../../../test/support/user.ts'

const timeoutMs = 10_000

let platform: Platform
let user: User
let id: string

before(async () => {
  platform = await createPlatform()
  user = await User.signUp(platform.api.url)
  id = (await user.create()).id
})

after(() => platform?.remove())

function until(what: string, isSo: () => boolean): Promise<true> {
  return pollUntil(what, () => isSo() || undefined, { timeoutMs })
}

test('what is typed comes back in order, from the first key on, and the exit ends it', async () => {
  const terminal = await PtyStream.start(user, id)
  // At once: the terminal is not there yet.
  const keys = Array.from({ length: 500 }, (_, index) => `${index}ä `)
  for (const key of keys) terminal.type(key)
  await until('all is echoed', () => terminal.output === keys.join(''))
  terminal.type('exit\r')
  assert.equal(await terminal.end(), 1000)
  assert.equal(terminal.messages[0]?.type, 'start')
  assert.deepEqual(terminal.last, { type: 'exit', exit_code: 0 })
})

test('a stop ends it, also one that is sent before it has started', async () => {
  const terminal = await PtyStream.start(user, id)
  terminal.send({ type: 'stop' })
  terminal.send({ type: 'stop' })
  assert.equal(await terminal.end(), 1000)
  assert.deepEqual(terminal.last, { type: 'exit', exit_code: 129 })
})

test('of many sizes the last one counts', async () => {
  const terminal = await PtyStream.start(user, id)
  const pid = await terminal.pid()
  for (let cols = 100; cols <= 200; cols += 1) terminal.send({ type: 'resize', cols, rows: 50 })
  await until('the last size is there', () => platform.agent.terminals.sizes.at(-1)?.cols === 200)
  const other = await PtyStream.open(user, id, { type: 'attach', pid, cols: 120, rows: 40 })
  await other.pid()
  assert.deepEqual(platform.agent.terminals.sizes.at(-1), { cols: 120, rows: 40 })
  other.send({ type: 'stop' })
  await Promise.all([terminal.end(), other.end()])
})

test('a closed connection leaves it running; whoever attaches sees what was shown, beside others', async () => {
  const first = await PtyStream.start(user, id)
  const pid = await first.pid()
  first.type('before ')
  await first.shows(/before /)
  first.webSocket.close()
  await first.end()
  await until('nobody follows it', () => platform.agent.terminals.followed === 0)
  const [second, third] = [await PtyStream.attach(user, id, pid), await PtyStream.attach(user, id, pid)]
  await Promise.all([second.shows(/before /), third.shows(/before /)])
  second.type('after')
  await Promise.all([second.shows(/before after/), third.shows(/before after/)])
  second.send({ type: 'stop' })
  assert.deepEqual([await second.end(), await third.end()], [1000, 1000])
})

test('a terminal that is not there, or in another sandbox, is refused in a message', async () => {
  const terminal = await PtyStream.start(user, id)
  const pid = await terminal.pid()
  const other = await user.create()
  for (const [sandbox, wanted] of [
    [id, 9_999],
    [other.id, pid],
  ] as const) {
    const attached = await PtyStream.attach(user, sandbox, wanted)
    assert.equal(await attached.end(), 1008)
    assert.deepEqual(attached.messages, [
      { type: 'error', code: 'not_found', data: `There is no terminal ${wanted}` },
    ])
  }
  terminal.send({ type: 'stop' })
  await terminal.end()
})

test('a command that cannot be run shows why, and has a code', async () => {
  const terminal = await PtyStream.start(user, id, { cmd: 'no-such-command' })
  assert.equal(await terminal.end(), 1000)
  assert.match(terminal.output, /no-such-command/)
  assert.deepEqual(terminal.last, { type: 'exit', exit_code: 127 })
})

test('what is no message is refused, and says what is wrong', async () => {
  const first: [message: unknown, says: RegExp][] = [
    ['no JSON', /"start" or "attach"/],
    [{ type: 'input', data: 'x' }, /"start" or "attach"/],
    [{ type: 'start' }, /cols/],
    [{ type: 'start', cols: 0, rows: 24 }, /cols/],
    [{ type: 'start', cols: 80, rows: 24, stdin: 'x' }, /stdin/],
    [{ type: 'attach', cols: 80, rows: 24 }, /pid/],
    [{ type: 'attach', pid: 1.5, cols: 80, rows: 24 }, /pid/],
  ]
  for (const [message, says] of first) {
    const terminal = await PtyStream.open(user, id, message as object)
    assert.equal(await terminal.end(), 1008)
    assert.match(terminal.text('error'), says)
  }
  const later: [message: unknown, says: RegExp][] = [
    ['no JSON', /"input", "resize" and "stop"/],
    [{ type: 'start', cols: 80, rows: 24 }, /"input", "resize" and "stop"/],
    [{ type: 'input' }, /data/],
    [{ type: 'input', data: 'x'.repeat(65_537) }, /data/],
    [{ type: 'resize', cols: 80 }, /rows/],
    [{ type: 'resize', cols: 1_001, rows: 24 }, /cols/],
  ]
  for (const [message, says] of later) {
    const terminal = await PtyStream.start(user, id)
    await terminal.pid()
    terminal.send(message)
    assert.equal(await terminal.end(), 1008)
    assert.match(terminal.text('error'), says)
  }
})

test('a flood of input waits for the terminal, in order and without being kept', async () => {
  const { terminals } = platform.agent
  const terminal = await PtyStream.start(user, id)
  await terminal.pid()
  const stuck = Promise.withResolvers<void>()
  terminals.stuck = stuck.promise
  terminals.typed = ''
  const piece = 'x'.repeat(60_000)
  const pieces = 300
  for (let index = 0; index < pieces; index += 1) terminal.type(`${index} ${piece}`)
  // Once every buffer on the way is full the client has the rest.
  let before = -1
  await pollUntil(
    'the client waits',
    () => {
      const waits = terminal.webSocket.bufferedAmount === before
      before = terminal.webSocket.bufferedAmount
      return waits || undefined
    },
    { timeoutMs, intervalMs: 200 },
  )
  assert.ok(before > (pieces * piece.length) / 2, `${before} bytes wait at the client`)
  terminals.stuck = undefined
  stuck.resolve()
  await pollUntil('all is typed', () => terminals.typed.length >= pieces * piece.length + 5 || undefined, {
    timeoutMs: 30_000,
  })
  assert.deepEqual(
    terminals.typed.match(/\d+/g)?.map(Number),
    Array.from({ length: pieces }, (_, index) => index),
  )
  terminal.send({ type: 'stop' })
  assert.equal(await terminal.end(), 1000)
})

test('input that a terminal does not take for a minute is an error, and the end; it can be attached to again', async (context) => {
  const { terminals } = platform.agent
  const terminal = await PtyStream.start(user, id)
  const pid = await terminal.pid()
  const stuck = Promise.withResolvers<void>()
  terminals.stuck = stuck.promise
  context.mock.timers.enable({ apis: ['setTimeout'] })
  for (let index = 0; index < 300; index += 1) terminal.type('x'.repeat(60_000))
  // The clock stands: it is moved on until the minute that begins with the first wait is over.
  const giveUpAt = performance.now() + 30_000
  while (terminal.text('error') === '' && performance.now() < giveUpAt) {
    context.mock.timers.tick(1_000)
    await nextTurn()
  }
  context.mock.timers.reset()
  terminals.stuck = undefined
  stuck.resolve()
  assert.match(terminal.text('error'), /taken none of the input for 60 s/)
  assert.equal(await terminal.end(), 1008)
  const again = await PtyStream.attach(user, id, pid)
  await again.pid()
  again.send({ type: 'stop' })
  assert.equal(await again.end(), 1000)
})

test('a VM that goes away is an error and a close, not silence', async () => {
  const terminal = await PtyStream.start(user, id)
  await terminal.pid()
  platform.agent.terminals.break('sandbox was paused')
  assert.equal(await terminal.end(), 1011)
  assert.deepEqual(terminal.last, { type: 'error', code: 'invalid_state', data: 'sandbox was paused' })
  const cut = await PtyStream.start(user, id)
  await cut.pid()
  platform.agent.breakConnections()
  assert.equal(await cut.end(), 1011)
  assert.match(cut.text('error'), /broke off/)
})

test('one that is stopped, unknown or of another team is refused before the upgrade', async () => {
  const stopped = (await user.create()).id
  await user.destroy(stopped)
  await assert.rejects(PtyStream.start(user, stopped), /409 invalid_state/)
  await assert.rejects(PtyStream.start(user, newId('sb')), /404 not_found/)
  const stranger = await User.signUp(platform.api.url)
  await assert.rejects(PtyStream.start(stranger, id), /404 not_found/)
  await assert.rejects(PtyStream.open(user, id, {}, { headers: {} }), /401 unauthorized/)
})

test('browsers authenticate by subprotocol', async () => {
  const first = { type: 'start', cols: 80, rows: 24 }
  const protocols = ['wrenn.v1', `wrenn.token.${user.token}`]
  const terminal = await PtyStream.open(user, id, first, { headers: {}, protocols })
  assert.equal(terminal.webSocket.protocol, 'wrenn.v1')
  await terminal.pid()
  terminal.send({ type: 'stop' })
  assert.equal(await terminal.end(), 1000)
})
