// Terminals in real VMs: what people do in them, and what becomes of them when somebody, or the VM, goes away. Every
// message a client may get wrong is in apps/control-plane/src/routes/pty.test.ts.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { LivingSandbox } from '../support/living-sandbox.ts'
import { TestPlatform } from '../support/real-platform.ts'
import { PtyStream } from '../support/streams.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User
let id: string

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
  id = (await user.create()).id
})

after(() => platform?.remove())

test('a login shell in the home, with job control, an interrupt and the size of the window', async () => {
  const terminal = await PtyStream.start(user, id)
  terminal.type('shopt -q login_shell && echo "login $PWD $TERM"; stty size\r')
  await terminal.shows(/login \/root xterm-256color\r\n24 80\r\n/)
  terminal.send({ type: 'resize', cols: 132, rows: 50 })
  // What is typed may come before the size.
  await pollUntil(
    'the size is the new one',
    () => {
      terminal.type('stty size\r')
      return /[\r\n]50 132\r\n/.test(terminal.output) || undefined
    },
    { timeoutMs: 60_000, intervalMs: 300 },
  )
  terminal.type('echo be"gun"; sleep 600\r')
  await terminal.shows(/begun\r\n/)
  // A shell that is interrupted before the program has begun may begin it all the same.
  const sleeps = async (): Promise<boolean> => (await user.sh(id, 'pgrep -x sleep || echo none')) !== 'none'
  await pollUntil('the program runs', async () => (await sleeps()) || undefined, { timeoutMs: 60_000 })
  terminal.type('\x03')
  await terminal.shows(/begun\r\n[^]*\^C/)
  terminal.type('sleep 600 & echo jo"bs"; jobs\r')
  await terminal.shows(/jobs\r\n\[1\].*Running/)
  terminal.type('kill %1; exit 7\r')
  assert.equal(await terminal.end(), 1000)
  assert.deepEqual(terminal.last, { type: 'exit', exit_code: 7 })
  assert.equal(await sleeps(), false)
})

test('python3 computes what is typed, in any language, and ends with Ctrl-D', async () => {
  const terminal = await PtyStream.start(user, id, { cmd: 'python3', args: ['-q'], envs: { A: 'ß' } })
  await terminal.shows(/>>> $/)
  terminal.type('import os; print(6 * 7, "größer 🦜", os.environ["A"])\r')
  await terminal.shows(/42 größer 🦜 ß\r\n/)
  terminal.type('\x04')
  assert.equal(await terminal.end(), 1000)
  assert.deepEqual(terminal.last, { type: 'exit', exit_code: 0 })
})

test('another user, another folder', async () => {
  const more = {
    cmd: 'sh',
    args: ['-c', 'id -un; pwd; test -O $(tty) && echo own'],
    user: 'nobody',
    cwd: '/tmp',
  }
  const terminal = await PtyStream.start(user, id, more)
  assert.equal(await terminal.end(), 1000)
  assert.equal(terminal.output, 'nobody\r\n/tmp\r\nown\r\n')
  const refused = await PtyStream.start(user, id, { cwd: '/nowhere' })
  assert.equal(await refused.end(), 1008)
  assert.match(refused.text('error'), /nowhere/)
})

test('much output comes whole and in order', async () => {
  const terminal = await PtyStream.start(user, id, { cmd: 'seq', args: ['1', '50000'] })
  assert.equal(await terminal.end(), 1000)
  const expected = Array.from({ length: 50_000 }, (_, index) => `${index + 1}\r\n`).join('')
  assert.ok(terminal.output === expected, `${terminal.output.length} characters`)
})

test('a stop hangs up every job of the shell', async () => {
  const terminal = await PtyStream.start(user, id)
  terminal.type('sleep 601 & (sleep 602; true) & sleep 603\r')
  const jobs = 'pgrep -f "sleep 60[123]" | wc -l'
  await pollUntil('its jobs run', async () => (await user.sh(id, jobs)) === '3' || undefined, {
    timeoutMs: 20_000,
  })
  terminal.send({ type: 'stop' })
  assert.equal(await terminal.end(), 1000)
  assert.equal(terminal.last?.type, 'exit')
  await pollUntil('they are gone', async () => (await user.sh(id, jobs)) === '0' || undefined, {
    timeoutMs: 20_000,
  })
})

test('a terminal outlives its clients, and its sandbox being paused; whoever attaches sees what there was', async () => {
  const count = 'i=0; while :; do echo "n $i"; i=$((i+1)); sleep 0.2; done'
  const first = await PtyStream.start(user, id, { cmd: 'sh', args: ['-c', count] })
  const pid = await first.pid()
  await first.shows(/n 2\r\n/)
  first.webSocket.close()
  await first.end()
  const [second, third] = [await PtyStream.attach(user, id, pid), await PtyStream.attach(user, id, pid)]
  for (const each of [second, third]) await each.shows(/^n 0\r\nn 1\r\n(n \d+\r\n)*n 8\r\n/)
  const pause = await user.call('pauseSandbox', 'POST', `/v1/sandboxes/${id}/pause`)
  assert.equal(pause.status, 200)
  for (const each of [second, third]) {
    assert.equal(await each.end(), 1011)
    assert.deepEqual([each.last?.type, each.last?.code], ['error', 'invalid_state'])
  }
  await assert.rejects(PtyStream.attach(user, id, pid), /409 invalid_state/)
  assert.equal((await user.call('resumeSandbox', 'POST', `/v1/sandboxes/${id}/resume`)).status, 200)
  const fourth = await PtyStream.attach(user, id, pid)
  await fourth.shows(/^n 0\r\n(n \d+\r\n)*n 12\r\n/)
  const seen = fourth.output.match(/\d+/g)?.map(Number)
  assert.deepEqual(
    seen,
    Array.from({ length: seen?.length ?? 0 }, (_, index) => index),
  )
  fourth.send({ type: 'stop' })
  assert.equal(await fourth.end(), 1000)
  const fifth = await PtyStream.attach(user, id, pid)
  assert.equal(await fifth.end(), 1008)
  assert.match(fifth.text('error'), /There is no terminal/)
})

test('when the VM is killed, or destroyed, the client gets an error and a close', async () => {
  for (const [how, code] of [
    ['killed', 'agent_error'],
    ['destroyed', 'not_found'],
  ] as const) {
    const victim = await user.create()
    const terminal = await PtyStream.start(user, victim.id)
    await terminal.pid()
    if (how === 'killed') {
      const state = await readFile(`${platform.folder}/sandboxes/${victim.id}/state.json`, 'utf8')
      const { state: live } = JSON.parse(state) as { state: { process: { pid: number } } }
      process.kill(live.process.pid, 'SIGKILL')
    } else await user.destroy(victim.id)
    assert.equal(await terminal.end(), 1011, how)
    assert.deepEqual([terminal.last?.type, terminal.last?.code], ['error', code])
    if (how === 'killed') await user.destroy(victim.id)
  }
})

test('an attached terminal keeps its sandbox running; a detached one does not, nor does looking on', async () => {
  const timeoutSec = 3
  const sandbox = await LivingSandbox.create(user, { timeout_sec: timeoutSec })
  const terminal = await PtyStream.start(user, sandbox.id)
  await terminal.pid()
  const since = performance.now()
  await pollUntil(
    'twice its time is over',
    () => performance.now() > since + timeoutSec * 2_000 || undefined,
    {
      timeoutMs: 60_000,
    },
  )
  assert.equal((await sandbox.get()).status, 'running')
  terminal.webSocket.close()
  await terminal.end()
  const leave = new AbortController()
  const watch = await fetch(`${user.url}/v1/sandboxes/${sandbox.id}/files/watch?path=/root`, {
    headers: { 'x-api-key': user.key },
    signal: leave.signal,
  })
  assert.equal(watch.status, 200)
  await pollUntil(
    'it is paused although it is looked at',
    async () => {
      const { status } = await user.call('getMetrics', 'GET', `/v1/sandboxes/${sandbox.id}/metrics`)
      return status === 409 || undefined
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  )
  await sandbox.until('paused')
  // It ended with the pause: to its end it can be read.
  assert.match(await watch.text(), /^(:\n\n)*event: ready\ndata: \{\}\n\n/)
  leave.abort()
  await user.destroy(sandbox.id)
})
