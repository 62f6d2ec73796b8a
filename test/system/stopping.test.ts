// Stopping on purpose pauses what runs, and the next start resumes it; when the machine goes down, what was saved is
// intact and what ran keeps its disk.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { endProcess, pollUntil } from '@wrenn/base'
import { qemuProcesses } from '../../apps/host-agent/src/vmm/qemu/process.ts'
import { LivingSandbox } from '../support/living-sandbox.ts'
import { leftovers } from '../support/machine.ts'
import { TestPlatform, type ProcessName } from '../support/real-platform.ts'
import { User } from '../support/user.ts'

/** The launcher's bound for all pauses, and what its processes may take beside it. */
const stopBoundMs = 90_000

let platform: TestPlatform
let user: User

before(async () => {
  platform = await TestPlatform.create({ WRENN_ON_STOP: '' })
  user = await User.signUp(platform.url)
})

after(() => platform?.remove())

test('ctrl-C pauses what runs, says so, leaves nothing but files, and the next start resumes it', async () => {
  const running = await LivingSandbox.create(user)
  const busy = await LivingSandbox.create(user)
  const pausedByUser = await LivingSandbox.create(user)
  await pausedByUser.pause()
  const begun = 'echo begun > /run/begun; exec sleep 10000'
  const open = user.exec(busy.id, { cmd: 'sh', args: ['-c', begun], timeout_sec: 3_000 }).then(
    ({ status }) => status,
    () => 'broken off',
  )
  await pollUntil(
    'the command runs',
    async () => ((await user.sh(busy.id, 'cat /run/begun || true')) === 'begun' ? true : undefined),
    { timeoutMs: 30_000 },
  )
  const started = performance.now()
  await platform.interrupt()
  const tookMs = performance.now() - started
  assert.ok(tookMs < stopBoundMs, `${tookMs} ms`)
  assert.match(platform.output, /2 sandboxes: paused, the next npm start resumes them/)
  assert.deepEqual(await leftovers(platform.instance, platform.folder), [])
  assert.notEqual(await open, 200)

  await platform.start()
  await Promise.all([running, busy].map((sandbox) => sandbox.until('running')))
  for (const sandbox of [running, busy]) await sandbox.assertAlive()
  assert.equal((await pausedByUser.get()).status, 'paused')
  await pausedByUser.resume()
  await pausedByUser.assertAlive()
  for (const { id } of [running, busy, pausedByUser]) await user.destroy(id)
})

test('after two stops what ran is still the same', async () => {
  const sandbox = await LivingSandbox.create(user)
  for (let stops = 0; stops < 2; stops++) {
    await platform.interrupt()
    assert.match(platform.output, /1 sandbox: paused/)
    await platform.start()
    await sandbox.until('running')
    await sandbox.assertAlive()
  }
  await user.destroy(sandbox.id)
})

test('when the machine goes down, what was saved is intact, and what ran is paused and keeps its disk', async () => {
  const ran = await LivingSandbox.create(user)
  const paused = await LivingSandbox.create(user)
  await paused.pause()
  const origin = await LivingSandbox.create(user)
  const snapshot = { sandbox_id: origin.id, name: 'survivor' }
  assert.equal((await user.call('createSnapshot', 'POST', '/v1/snapshots', snapshot)).status, 201)

  for (const name of ['launcher', 'host-agent', 'control-plane', 'postgres'] satisfies ProcessName[])
    await platform.kill(name)
  const vms = await qemuProcesses(join(platform.folder, 'sandboxes'))
  assert.equal(vms.length, 1)
  for (const { process } of vms) await endProcess(process, 0)
  await platform.start()

  const { status_reason: reason } = await ran.until('paused')
  assert.match(reason ?? '', /VM ended/)
  const resumed = await ran.resume()
  assert.equal(resumed.status, 'running')
  assert.match(resumed.status_reason ?? '', /booted anew.*processes are lost/)
  assert.equal((await ran.get()).status_reason, resumed.status_reason)
  await ran.assertRebooted()

  assert.equal((await paused.get()).status, 'paused')
  await paused.resume()
  await paused.assertAlive()
  const clone = await user.create({ template: 'survivor' })
  await origin.assertAlive(clone.id)

  // One that was booted anew can be paused and resumed like any other, and says no more that it was.
  await ran.pause()
  assert.equal((await ran.resume()).status_reason, undefined)
  await ran.assertRebooted()
  for (const { id } of [ran, paused, clone]) await user.destroy(id)
  assert.equal((await user.call('deleteSnapshot', 'DELETE', '/v1/snapshots/survivor')).status, 204)
})
