// The main job on a real platform: sandboxes with real VMs, through the public API.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { TestPlatform } from '../support/real-platform.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
})

after(() => platform.remove())

test('a program written into a sandbox runs, and its output file comes back', async () => {
  const { id } = await user.create()
  const program = 'print(sum(range(101)))\nopen("/root/out.txt", "w").write("größer\\n")\n'
  await user.run(id, { cmd: 'tee', args: ['/root/program.py'], stdin: program })
  const ran = await user.run(id, { cmd: 'python3', args: ['/root/program.py'] })
  assert.deepEqual([ran.exit_code, ran.stdout, ran.stderr], [0, '5050\n', ''])
  assert.equal(await user.sh(id, 'cat /root/out.txt'), 'größer')
  await user.destroy(id)
  assert.equal((await user.exec(id, { cmd: 'true' })).status, 409)
  assert.deepEqual(await user.list(), [])
})

test('a new sandbox is itself: name, clock, random numbers, identity and no rights of the host', async () => {
  const [first, second] = await Promise.all([user.create(), user.create()])
  const facts = async (id: string): Promise<string[]> => {
    const before = Date.now() / 1000
    const text = await user.sh(
      id,
      'hostname; date +%s.%N; head -c 16 /dev/urandom | od -An -tx1; cat /etc/machine-id; cat /proc/sys/kernel/random/uuid',
    )
    const lines = text.split('\n')
    const clock = Number(lines[1])
    assert.ok(clock > before - 0.5 && clock < Date.now() / 1000 + 0.5, `the clock says ${clock} at ${before}`)
    return lines
  }
  const [one, two] = [await facts(first.id), await facts(second.id)]
  assert.equal(one[0], first.id)
  for (const index of [0, 2, 3, 4]) assert.notEqual(one[index], two[index])
  assert.equal(await user.sh(first.id, 'id -un; pwd'), 'root\n/root')
  await Promise.all([user.destroy(first.id), user.destroy(second.id)])
})

test('size as asked: two vcpus, memory rounded up, a disk of its own', async () => {
  const sandbox = await user.create({ vcpus: 2, memory_mb: 200 })
  assert.deepEqual([sandbox.vcpus, sandbox.memory_mb], [2, 256])
  assert.equal(await user.sh(sandbox.id, 'nproc'), '2')
  const totalKib = Number(
    await user.sh(sandbox.id, "sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo"),
  )
  assert.ok(totalKib > 190 * 1024 && totalKib < 256 * 1024, `${totalKib} KiB`)
  assert.ok(Number(await user.sh(sandbox.id, 'df -m --output=size / | tail -1')) > 3500)
  await user.sh(sandbox.id, 'echo kept > /root/x && sync')
  const other = await user.create()
  assert.equal((await user.run(other.id, { cmd: 'cat', args: ['/root/x'] })).exit_code, 1)
  await Promise.all([user.destroy(sandbox.id), user.destroy(other.id)])
})

test('what the template promises is there', async () => {
  const { id } = await user.create()
  await user.sh(
    id,
    'for tool in bash python3 git curl ps ip sudo; do command -v $tool; done; test -e /etc/ssl/certs/ca-certificates.crt',
  )
  const asUser = await user.run(id, { cmd: 'sudo', args: ['id', '-un'], user: 'user' })
  assert.deepEqual([asUser.exit_code, asUser.stdout], [0, 'root\n'])
  const locale = await user.run(id, {
    cmd: 'python3',
    args: ['-c', 'import sys; print("ß", sys.stdout.encoding)'],
  })
  assert.equal(locale.stdout, 'ß utf-8\n')
  await user.destroy(id)
})

test('exec: codes, time limit, binary output, working folder, user, environment, background children', async () => {
  const { id } = await user.create()
  const code = async (cmd: string, args: string[] = []): Promise<number | undefined> =>
    (await user.run(id, { cmd, args })).exit_code
  assert.equal(await code('false'), 1)
  assert.equal(await code('no-such-program'), 127)
  assert.equal(await code('/etc/passwd'), 126)
  assert.equal(await code('sh', ['-c', 'kill -9 $$']), 137)

  const slow = await user.run(id, {
    cmd: 'sh',
    args: ['-c', 'echo early; sleep 60 & sleep 60'],
    timeout_sec: 1,
  })
  assert.deepEqual([slow.exit_code, slow.timed_out, slow.stdout], [124, true, 'early\n'])
  assert.equal(await user.sh(id, 'ps -eo comm | grep -c sleep || true'), '0')

  const binary = await user.run(id, { cmd: 'printf', args: ['\\377\\001'] })
  assert.deepEqual([binary.encoding, binary.stdout], ['base64', '/wE='])

  const placed = await user.run(id, {
    cmd: 'sh',
    args: ['-c', 'id -un; pwd; echo "$A"; cat'],
    cwd: '/tmp',
    user: 'user',
    envs: { A: 'ä b' },
    stdin: 'in',
  })
  assert.equal(placed.stdout, 'user\n/tmp\nä b\nin')

  const background = await user.run(id, { cmd: 'sh', args: ['-c', 'sleep 300 & echo $!'] })
  await user.sh(id, `kill -0 ${background.stdout?.trim()}`)

  const missing = await user.exec(id, { cmd: 'true', cwd: '/nowhere' })
  assert.equal(missing.status, 400)
  assert.match(JSON.stringify(missing.body), /nowhere/)
  await user.destroy(id)
})

test('twenty creates at once all succeed and each runs a command', async () => {
  const sandboxes = await Promise.all(Array.from({ length: 20 }, () => user.create({ memory_mb: 128 })))
  const names = await Promise.all(sandboxes.map(({ id }) => user.sh(id, 'hostname')))
  assert.deepEqual(
    names,
    sandboxes.map(({ id }) => id),
  )
  await Promise.all(sandboxes.map(({ id }) => user.destroy(id)))
  assert.deepEqual(await user.list(), [])
})

test('a destroy during a create wins, and nothing is left of it', async () => {
  // A size that has no golden snapshot yet, so that the create takes its time.
  const creating = user.call('createSandbox', 'POST', '/v1/sandboxes', { memory_mb: 384 })
  const { id } = await pollUntil('the row appears', async () => (await user.list())[0], {
    timeoutMs: 10_000,
  })
  await user.destroy(id)
  assert.notEqual((await creating).status, 201)
  assert.deepEqual(await user.list(), [])
})

test('bad input changes nothing', async () => {
  const { id } = await user.create()
  const other = await User.signUp(platform.url)
  const cases: [object, number, RegExp][] = [
    [{ template: 'unknown' }, 404, /unknown/],
    [{ template: '../etc' }, 400, /template/],
    [{ vcpus: 0 }, 400, /vcpus/],
    [{ vcpus: '2' }, 400, /vcpus/],
    [{ vcpus: 31 }, 400, /vcpus/],
    [{ memory_mb: 10_000_000 }, 400, /memory_mb/],
    [{ memory_mb: 900_000 }, 400, /memory_mb/],
    [{ colour: 'red' }, 400, /colour/],
  ]
  for (const [body, status, message] of cases) {
    const answer = await user.call('createSandbox', 'POST', '/v1/sandboxes', body)
    assert.equal(answer.status, status, JSON.stringify(body))
    assert.match(JSON.stringify(answer.body), message)
  }
  assert.equal((await other.exec(id, { cmd: 'true' })).status, 404)
  assert.equal((await other.call('destroySandbox', 'DELETE', `/v1/sandboxes/${id}`)).status, 404)
  assert.deepEqual(
    (await user.list()).map((sandbox) => sandbox.id),
    [id],
  )
  assert.equal(await user.sh(id, 'echo fine'), 'fine')
  await user.destroy(id)
})
