import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pollUntil } from './deadline.ts'
import { isAlive, processRef } from './processes.ts'
import { CommandError, run } from './run.ts'

const sh = (script: string, options?: Parameters<typeof run>[2]): ReturnType<typeof run> =>
  run('/bin/sh', ['-c', script], options)

function failsWith(expected: { code: number | null; message: RegExp }): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CommandError)
    assert.equal(error.code, expected.code)
    assert.match(error.message, expected.message)
    return true
  }
}

test('what a command writes comes back, in full and also piece by piece', async () => {
  let pieces = ''
  const script = 'printf out; printf err >&2; head -c 300000 /dev/zero | tr "\\0" x'
  const { stdout, stderr } = await sh(script, { onOutput: (text) => (pieces += text) })
  assert.equal(stdout, `out${'x'.repeat(300_000)}`)
  assert.equal(stderr, 'err')
  assert.equal(pieces.length, stdout.length + stderr.length)
})

test('a character that is split between two writes is whole', async () => {
  const { stdout } = await run(process.execPath, [
    '-e',
    "const bytes = Buffer.from('€'); process.stdout.write(bytes.subarray(0, 1), () => setImmediate(() => process.stdout.write(bytes.subarray(1))))",
  ])
  assert.equal(stdout, '€')
})

test('an exit code other than 0 is an error that ends with what the command said last', async () => {
  await assert.rejects(
    sh('for line in 1 2 3 4 5 6; do echo "line $line" >&2; done; exit 3'),
    failsWith({ code: 3, message: /exit code 3: line 2\nline 3\nline 4\nline 5\nline 6$/ }),
  )
})

test('a command that a signal ends is an error that names the signal', async () => {
  await assert.rejects(sh('kill -TERM $$'), failsWith({ code: null, message: /ended by SIGTERM$/ }))
})

test('a program that is not there, and arguments that are too long, are errors of the command', async () => {
  await assert.rejects(run('/nowhere/program', []), failsWith({ code: null, message: /ENOENT/ }))
  await assert.rejects(run('/bin/true', ['x'.repeat(4_000_000)]), failsWith({ code: null, message: /E2BIG/ }))
})

test('input reaches the command; one that does not read it is judged by its exit code', async () => {
  const input = 'line\n'.repeat(400_000)
  assert.equal((await run('wc', ['-c'], { input })).stdout.trim(), String(input.length))
  assert.equal((await run('cat', [], { input: '' })).stdout, '')
  await run('/bin/true', [], { input })
  await assert.rejects(run('/bin/false', [], { input }), failsWith({ code: 1, message: /exit code 1/ }))
})

test('without input a command reads the end of the file at once', async () => {
  assert.equal((await run('cat', [])).stdout, '')
})

test('a command that takes too long is killed', async () => {
  let pid = ''
  const running = sh('echo $$; trap "" TERM; while :; do :; done', {
    timeoutMs: 1000,
    onOutput: (text) => (pid += text),
  })
  await assert.rejects(running, failsWith({ code: null, message: /not done within 1000 ms/ }))
  assert.match(pid, /^\d+\n$/)
  assert.equal(processRef(Number(pid)), undefined)
})

test('the time limit also holds when something in the background keeps the output open', async () => {
  for (const foreground of ['exec sleep 60', 'exit 0']) {
    let pid = ''
    const options = { timeoutMs: 1000, onOutput: (text: string) => (pid += text) }
    const running = sh(`sleep 60 & echo $!; ${foreground}`, options)
    try {
      await assert.rejects(running, /not done within 1000 ms/)
    } finally {
      assert.match(pid, /^\d+\n$/)
      process.kill(Number(pid), 'SIGKILL')
    }
  }
})

test('an abort kills the command, and its reason is thrown once the command is gone', async () => {
  const reason = new Error('no longer needed')
  const controller = new AbortController()
  let pid = ''
  const running = sh('echo $$; exec sleep 60', {
    signal: controller.signal,
    onOutput: (text) => (pid += text),
  })
  const settled = assert.rejects(running, (error) => error === reason)
  await pollUntil('the command runs', () => pid.includes('\n') || undefined, { timeoutMs: 10_000 })
  const ref = processRef(Number(pid))
  assert.ok(ref)
  controller.abort(reason)
  await settled
  assert.ok(!isAlive(ref))
  await assert.rejects(run('/bin/true', [], { signal: controller.signal }), (error) => error === reason)
})

test('a command has the folder and exactly the environment that it is given', async () => {
  const { stdout } = await sh('pwd; echo "$GREETING ${HOME-none}"', { cwd: '/', env: { GREETING: 'hello' } })
  assert.equal(stdout, '/\nhello none\n')
})
