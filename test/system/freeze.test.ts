// The guest's side of a pause, in a real VM: connections closed, disk synced and still, identity and clock set while it
// is, and everything going on afterwards.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { pollUntil, run } from '@wrenn/base'
import { TestPlatform } from '../support/real-platform.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User
let id: string
let envdUrl: string
let folder: string
let token: string

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
})

after(() => platform?.remove())

beforeEach(async () => {
  const sandbox = await user.create()
  id = sandbox.id
  envdUrl = `http://${sandbox.host_ip}:49983`
  folder = join(platform.folder, 'sandboxes', id)
  token = (JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')) as { token: string }).token
})

async function call(path: string, body: unknown, accessToken = token): Promise<Response> {
  return fetch(envdUrl + path, {
    method: 'POST',
    headers: { 'x-access-token': accessToken, connection: 'close' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
}

async function done(path: string, body: unknown = {}, accessToken?: string): Promise<void> {
  const response = await call(path, body, accessToken)
  assert.equal(response.status, 204, await response.text())
}

const identity = (name: string): Record<string, string> => ({
  accessToken: token,
  hostname: name,
  machineId: randomBytes(16).toString('hex'),
  entropy: randomBytes(64).toString('base64'),
})

/** A process that writes to the disk all the time. */
async function startTicking(): Promise<void> {
  const script = 'while :; do echo >> /root/ticks; sleep 0.02; done'
  await user.sh(id, `touch /root/ticks; nohup sh -c '${script}' > /dev/null 2>&1 &`)
  await assertTicking()
}

const ticks = (): Promise<string> => user.sh(id, 'stat -c %s /root/ticks')

async function assertTicking(): Promise<void> {
  const first = await ticks()
  await pollUntil('the guest writes', async () => ((await ticks()) === first ? undefined : true), {
    timeoutMs: 30_000,
  })
}

async function assertStill(): Promise<void> {
  const first = await ticks()
  await user.sh(id, 'sleep 0.3')
  assert.equal(await ticks(), first)
}

test('a frozen disk is whole by itself, and written again after the thaw', async () => {
  const text = randomBytes(20).toString('hex')
  await user.sh(id, `echo ${text} > /root/unsynced; mkdir /root/folder`)
  await startTicking()
  await done('/quiesce', { freeze: true })
  const { stdout } = await run('debugfs', ['-R', 'cat /upper/root/unsynced', join(folder, 'vm', 'disk.img')])
  assert.equal(stdout, `${text}\n`)
  const header = await run('dumpe2fs', ['-h', join(folder, 'vm', 'disk.img')])
  assert.doesNotMatch(header.stdout, /needs_recovery/)
  await assertStill()
  await done('/quiesce', { freeze: true })
  await assertStill()
  await done('/thaw')
  await assertTicking()
  await done('/thaw')
  await user.destroy(id)
})

test('an init sets clock and identity while the disk is frozen, as often as it is asked, and thaws it at its end', async () => {
  await startTicking()
  for (let resume = 1; resume <= 5; resume++) {
    const same = identity(`sb-${resume}`)
    await done('/quiesce', { freeze: true })
    // Twice: a clone's first, and a resume with the same name.
    for (const thaw of [false, true]) {
      await done('/init', { ...same, timestamp: '2040-01-01T00:00:00Z' })
      assert.match(await user.sh(id, 'date -u +%Y'), /^2040/)
      await assertStill()
      const sent = Date.now()
      await done('/init', { ...same, timestamp: new Date().toISOString(), thaw })
      const guestMs = Number(await user.sh(id, 'date +%s%N')) / 1e6
      assert.ok(guestMs > sent - 500 && guestMs < Date.now() + 500, `the clock is ${guestMs - sent} ms off`)
      assert.equal(
        await user.sh(id, 'hostname; cat /etc/hostname /etc/machine-id; grep -c 127.0.1.1 /etc/hosts'),
        `sb-${resume}\nsb-${resume}\n${same['machineId']}\n1`,
      )
    }
    await assertTicking()
  }
  await user.destroy(id)
})

test('an identity that the guest keeps on its disk is set, too, and a new token replaces the old one', async () => {
  await user.sh(id, 'rm /etc/hosts && echo 127.0.0.1 localhost > /etc/hosts')
  await done('/quiesce', { freeze: true })
  const clone = { ...identity('clone'), accessToken: 'the token of the clone' }
  const refused = await call('/init', clone)
  assert.equal(refused.status, 500)
  assert.match(await refused.text(), /\/etc\/hosts lies on the disk, which is frozen/)
  await done('/init', { ...clone, thaw: true })
  assert.equal((await call('/thaw', {})).status, 401)
  await done('/init', { accessToken: token }, clone.accessToken)
  assert.equal(await user.sh(id, 'cat /etc/hosts'), '127.0.0.1 localhost\n127.0.1.1\tclone')
  await user.destroy(id)
})

test('nothing in the guest leads to the disk below its root, and an agent that dies leaves it thawed', async () => {
  assert.equal(
    await user.sh(id, 'grep -c ext4 /proc/mounts; ls -d /disk 2> /dev/null; umount /disk 2>&1 | wc -l'),
    '0\n1',
  )
  await startTicking()
  // Started before the freeze; it kills only what comes after it.
  await user.sh(
    id,
    `nohup sh -c 'while [ ! -e /dev/shm/kill ]; do sleep 0.05; done; pkill -9 -f "envd serv[e]"' > /dev/null 2>&1 &`,
  )
  await done('/quiesce', { freeze: true })
  await assertStill()
  await user.sh(id, 'touch /dev/shm/kill')
  // The new one knows no token yet.
  await pollUntil(
    'a new envd answers',
    async () => ((await call('/none', {}).catch(() => undefined))?.status === 401 ? true : undefined),
    { timeoutMs: 30_000 },
  )
  await done('/init', { accessToken: token })
  await assertTicking()
  await done('/quiesce', { freeze: true })
  await assertStill()
  await done('/thaw')
  await user.destroy(id)
})
