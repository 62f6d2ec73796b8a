// Against the real envd, which runs commands on this machine.
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { after, before, test } from 'node:test'
import { AppError, isAlive, MIB } from '@wrenn/base'
import { exec, type ExecRequest, type ExecResult } from './exec.ts'
import { LocalEnvd } from './local-envd.ts'

let envd: LocalEnvd
before(async () => {
  envd = await LocalEnvd.start()
})
after(() => envd.stop())

function sh(script: string, options: Partial<ExecRequest> = {}): Promise<ExecResult> {
  return exec(envd.client, { cmd: '/bin/sh', args: ['-c', script], timeoutSec: 30, ...options })
}

test('a command that ends well has its output and exit code 0', async () => {
  const { durationMs, ...result } = await sh('echo out; echo "err €" >&2')
  assert.deepEqual(result, {
    exitCode: 0,
    stdout: 'out\n',
    stderr: 'err €\n',
    encoding: 'utf-8',
    timedOut: false,
    truncated: false,
  })
  assert.ok(durationMs > 0)
})

test('exit codes are those of the command, and 128 + n after a signal', async () => {
  assert.equal((await sh('exit 1')).exitCode, 1)
  assert.equal((await sh('exit 255')).exitCode, 255)
  assert.equal((await sh('kill -KILL $$')).exitCode, 137)
  assert.equal((await sh('kill -TERM $$')).exitCode, 143)
})

test('a command that is not there is 127, one that is not executable 126, and stderr says so', async () => {
  const missing = await exec(envd.client, { cmd: 'no-such-command', args: [], timeoutSec: 30 })
  assert.equal(missing.exitCode, 127)
  assert.match(missing.stderr, /no-such-command.*\n$/)
  const file = await exec(envd.client, { cmd: '/etc/passwd', args: [], timeoutSec: 30 })
  assert.equal(file.exitCode, 126)
  assert.match(file.stderr, /passwd.*\n$/)
})

test('past its time a command is ended: 124, with what it wrote so far', async () => {
  const result = await sh('echo so far; echo "and here" >&2; exec sleep 60', { timeoutSec: 1 })
  assert.equal(result.exitCode, 124)
  assert.equal(result.timedOut, true)
  assert.equal(result.stdout, 'so far\n')
  assert.equal(result.stderr, 'and here\n')
})

test('bytes that are no text come as base64, and then both streams do', async () => {
  const result = await sh("printf '\\377\\000'; printf text >&2")
  assert.equal(result.encoding, 'base64')
  assert.deepEqual(Buffer.from(result.stdout, 'base64'), Buffer.from([255, 0]))
  assert.equal(Buffer.from(result.stderr, 'base64').toString(), 'text')
})

test('of more than 16 MiB the beginning is kept, and the command runs to its end', async () => {
  const result = await sh(`head -c ${17 * MIB} /dev/zero | tr '\\0' x; echo done >&2`)
  assert.equal(result.truncated, true)
  assert.equal(result.stdout.length, 16 * MIB)
  assert.equal(result.stderr, 'done\n')
  assert.equal(result.exitCode, 0)
})

test('exactly 16 MiB are not truncated', async () => {
  const result = await sh(`head -c ${16 * MIB} /dev/zero | tr '\\0' x`)
  assert.equal(result.truncated, false)
  assert.equal(result.stdout.length, 16 * MIB)
})

test('text that is cut within a character is still text', async () => {
  // Lines of seven bytes: the sixteen-mebibyte mark is in the middle of a character.
  const result = await sh(`yes €€ | head -c ${17 * MIB}`)
  assert.equal(result.truncated, true)
  assert.equal(result.encoding, 'utf-8')
  assert.ok(result.stdout.endsWith('€€\n'))
})

test('a large input reaches a command that reads it', async () => {
  const stdin = 'x'.repeat(900_000)
  const result = await exec(envd.client, { cmd: 'cat', args: [], stdin, timeoutSec: 30 })
  assert.equal(result.stdout, stdin)
})

test('a large input that the command does not read holds nothing up', async () => {
  const stdin = 'x'.repeat(900_000)
  assert.equal((await sh('exit 3', { stdin })).exitCode, 3)
  assert.equal((await sh('head -c 3', { stdin })).stdout, 'xxx')
  const unread = await sh('exec sleep 60', { stdin, timeoutSec: 1 })
  assert.equal(unread.exitCode, 124)
})

test('an empty input is the end of the file, and so is none', async () => {
  assert.equal((await exec(envd.client, { cmd: 'cat', args: [], stdin: '', timeoutSec: 30 })).exitCode, 0)
  assert.equal((await exec(envd.client, { cmd: 'cat', args: [], timeoutSec: 30 })).exitCode, 0)
})

test('folder, user and environment are those of the request', async () => {
  const options = { cwd: '/tmp', user: 'nobody', envs: { GREETING: 'hello there' } }
  assert.equal((await sh('pwd; id -un; echo "$GREETING"', options)).stdout, '/tmp\nnobody\nhello there\n')
})

test('a folder or a user that is not there is the mistake of the caller', async () => {
  for (const options of [{ cwd: '/no/such/folder' }, { cwd: '/etc/passwd' }, { user: 'nobody-here' }])
    await assert.rejects(sh('true', options), (error) => {
      assert.ok(error instanceof AppError)
      assert.equal(error.code, 'invalid_request')
      assert.match(error.message, /folder|passwd|nobody-here|directory|user/)
      return true
    })
})

test('twenty at once each get their own answer', async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) => sh(`cat; exit ${index}`, { stdin: `input ${index}` })),
  )
  for (const [index, { stdout, exitCode }] of results.entries())
    assert.deepEqual([stdout, exitCode], [`input ${index}`, index])
})

test("an abort ends the exec with the signal's reason, at once", async () => {
  const controller = new AbortController()
  const reason = new Error('the client went away')
  const { script, started } = envd.sleeper('aborted')
  const running = assert.rejects(sh(script, { signal: controller.signal }), (error) => error === reason)
  await started()
  controller.abort(reason)
  await running
})

test('a connection that is cut in the middle is an error, and not a result', async () => {
  const other = await LocalEnvd.start()
  try {
    const { script, started } = other.sleeper('cut')
    const options = { cmd: '/bin/sh', args: ['-c', script], timeoutSec: 60 }
    const running = assert.rejects(exec(other.client, options), { code: 'ECONNRESET' })
    await started()
    other.kill()
    await running
  } finally {
    await other.stop()
  }
})

test('closing the client fails what runs, and what comes later, with its reason', async () => {
  const other = await LocalEnvd.start()
  try {
    const reason = new AppError('not_found', 'sandbox sb-1 was destroyed')
    const { script, started } = other.sleeper('closed')
    const options = { cmd: '/bin/sh', args: ['-c', script], timeoutSec: 60 }
    const running = assert.rejects(exec(other.client, options), (error) => error === reason)
    const command = await started()
    other.client.close(reason)
    await running
    await assert.rejects(exec(other.client, options), (error) => error === reason)
    assert.ok(isAlive(command), 'only the stream ends')
  } finally {
    await other.stop()
  }
})

test('commands one after the other share a connection', async () => {
  const other = await LocalEnvd.start()
  let connections = 0
  const count = (): void => void (connections += 1)
  subscribe('net.client.socket', count)
  try {
    for (const cmd of ['true', 'false', 'no-such-command', 'true'])
      await exec(other.client, { cmd, args: [], timeoutSec: 30 })
    assert.equal(connections, 1)
  } finally {
    unsubscribe('net.client.socket', count)
    await other.stop()
  }
})
