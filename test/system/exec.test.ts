// exec with real VMs, at its limits. What a command gets and gives in the common case is in main-job.test.ts; every corner
// of the agent's side, against the real envd, in apps/host-agent/src/guest/exec.test.ts.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { MIB, pollUntil } from '@wrenn/base'
import { TestPlatform } from '../support/real-platform.ts'
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

test('exit codes: of the command, 127, 126, and 128 + n after a signal', async () => {
  const codes: [script: string, code: number][] = [
    ['exit 0', 0],
    ['exit 255', 255],
    ['no-such-program', 127],
    ['/etc/passwd', 126],
    ['kill -TERM $$', 143],
    ['kill -SEGV $$', 139],
  ]
  for (const [script, code] of codes)
    assert.equal((await user.run(id, { cmd: 'sh', args: ['-c', script] })).exit_code, code, script)
  const missing = await user.run(id, { cmd: 'no-such-program' })
  assert.deepEqual([missing.exit_code, missing.stdout], [127, ''])
  assert.match(missing.stderr ?? '', /no-such-program/)
  const file = await user.run(id, { cmd: '/etc/passwd' })
  assert.deepEqual([file.exit_code, file.stdout], [126, ''])
})

test('a command past its time is killed with its whole group, and what it wrote is kept', async () => {
  // Neither the command nor its children listen to SIGTERM.
  const script = `trap '' TERM; echo out; echo err >&2; (sleep 601 & sleep 602 & wait) & sleep 603`
  const slow = await user.run(id, { cmd: 'sh', args: ['-c', script], timeout_sec: 1 })
  assert.deepEqual([slow.exit_code, slow.timed_out, slow.stdout, slow.stderr], [124, true, 'out\n', 'err\n'])
  assert.equal(await user.sh(id, 'pgrep -f "sleep 60[123]" || echo none'), 'none')
})

test('output over 16 MiB is cut and says so, also of stderr, and the command ends well', async () => {
  const script = `head -c ${17 * MIB} /dev/zero | tr '\\0' x >&2; echo end`
  const { exit_code, stdout, stderr, truncated } = await user.run(id, {
    cmd: 'sh',
    args: ['-c', script],
    timeout_sec: 120,
  })
  assert.deepEqual([exit_code, stdout, stderr.length, truncated], [0, 'end\n', 16 * MIB, true])
  const small = await user.run(id, { cmd: 'echo' })
  assert.equal(small.truncated, undefined)
})

test('a thousand arguments arrive as they were sent, and so do odd ones', async () => {
  const args = Array.from({ length: 997 }, (_, index) => `argument ${index}`)
  const odd = ['', 'a \'b\' "c" $HOME `id` \\', 'two\nlines äß🦜']
  const { stdout } = await user.run(id, { cmd: 'printf', args: ['%s\\0', ...args, ...odd] })
  assert.deepEqual(stdout?.split('\0').slice(0, -1), [...args, ...odd])
})

test('bytes that are no text come back untouched, with both streams as base64', async () => {
  const result = await user.run(id, {
    cmd: 'python3',
    args: [
      '-c',
      'import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000); print("ä", file=sys.stderr)',
    ],
  })
  assert.equal(result.encoding, 'base64')
  assert.deepEqual(
    Buffer.from(result.stdout ?? '', 'base64'),
    Buffer.alloc(256_000, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))),
  )
  assert.equal(Buffer.from(result.stderr ?? '', 'base64').toString(), 'ä\n')
})

test('twenty at once in one sandbox each get their own output, code and environment', async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      user.run(id, {
        cmd: 'sh',
        args: ['-c', 'cat; echo " $N" >&2; seq 1 2000; exit $N'],
        envs: { N: String(index) },
        stdin: `in ${index}\n`,
      }),
    ),
  )
  const numbers = `${Array.from({ length: 2_000 }, (_, index) => index + 1).join('\n')}\n`
  for (const [index, result] of results.entries())
    assert.deepEqual(
      [result.exit_code, result.stderr, result.stdout],
      [index, ` ${index}\n`, `in ${index}\n${numbers}`],
    )
})

test('an input of half a megabyte reaches the command whole; an unread one holds nothing up', async () => {
  const stdin = 'größer 0123456789\n'.repeat(25_000)
  const sum = await user.run(id, { cmd: 'sha256sum', stdin })
  assert.equal(sum.stdout, `${createHash('sha256').update(stdin).digest('hex')}  -\n`)
  assert.equal((await user.run(id, { cmd: 'true', stdin })).exit_code, 0)
  assert.equal((await user.run(id, { cmd: 'cat' })).stdout, '')
})

test('the environment is clean, and the request adds to it', async () => {
  const { stdout } = await user.run(id, { cmd: 'env', envs: { A: 'x=y', HOME: '/tmp' } })
  const names = stdout
    ?.trim()
    .split('\n')
    .map((line) => line.split('=')[0])
  assert.deepEqual(new Set(names), new Set(['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'A']))
  assert.match(stdout ?? '', /^A=x=y$/m)
  assert.match(stdout ?? '', /^HOME=\/tmp$/m)
})

test('a user or a folder that is not there is refused, and names itself', async () => {
  for (const [field, value] of [
    ['user', 'nobody-we-know'],
    ['cwd', '/nowhere'],
  ] as const) {
    const { status, body } = await user.exec(id, { cmd: 'true', [field]: value })
    assert.equal(status, 400)
    assert.match(JSON.stringify(body), new RegExp(value))
  }
})

test('exec returns when the command exits, and its background children live on', async () => {
  const startedAt = performance.now()
  const script = '(sleep 2; echo alive > /root/child) & sleep 600 & echo $!'
  const { stdout } = await user.run(id, { cmd: 'sh', args: ['-c', script] })
  assert.ok(performance.now() - startedAt < 60_000)
  await user.sh(id, `kill -0 ${stdout?.trim()}`)
  await pollUntil(
    'the child goes on',
    async () => (await user.sh(id, 'cat /root/child 2>/dev/null || true')) === 'alive' || undefined,
    { timeoutMs: 20_000 },
  )
  await user.sh(id, `kill ${stdout?.trim()}`)
})
