// Sandboxes that nobody uses are paused, or destroyed when they were made so. Whatever is open keeps them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { LivingSandbox } from '../support/living-sandbox.ts'
import { TestPlatform } from '../support/real-platform.ts'
import { ExecStream } from '../support/streams.ts'
import { User } from '../support/user.ts'

const timeoutSec = 4

let platform: TestPlatform
let user: User

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
})

after(() => platform?.remove())

test('an idle sandbox is paused, says why, and resumes with its time anew', async () => {
  const sandbox = await LivingSandbox.create(user, { timeout_sec: timeoutSec })
  const { status_reason: reason } = await sandbox.until('paused')
  assert.match(reason ?? '', /idle/)
  const resumed = await sandbox.resume()
  assert.equal(resumed.status_reason, undefined)
  await sandbox.assertAlive()
  await sandbox.until('paused')
  await sandbox.resume()
  await sandbox.assertAlive()
  await user.destroy(sandbox.id)
})

test('a command that runs is not cut, and the time counts from its end', async () => {
  const sandbox = await LivingSandbox.create(user, { timeout_sec: timeoutSec })
  assert.equal(await user.sh(sandbox.id, `sleep ${timeoutSec * 2}; echo whole`), 'whole')
  assert.equal((await sandbox.get()).status, 'running')
  await sandbox.until('paused')
  await user.destroy(sandbox.id)
})

test('an open stream keeps its sandbox running; when it ends, the time begins', async () => {
  const sandbox = await LivingSandbox.create(user, { timeout_sec: timeoutSec })
  const stream = await ExecStream.sh(user, sandbox.id, `sleep ${timeoutSec * 2}`)
  await stream.end()
  assert.deepEqual(stream.last, { type: 'exit', exit_code: 0 })
  assert.equal((await sandbox.get()).status, 'running')
  await sandbox.until('paused')
  await user.destroy(sandbox.id)
})

test('a ping is activity', async () => {
  const sandbox = await LivingSandbox.create(user, { timeout_sec: timeoutSec })
  const until = performance.now() + timeoutSec * 2_000
  const statuses = new Set<number>()
  await pollUntil(
    'it was pinged for long enough',
    async () => {
      statuses.add((await user.call('pingSandbox', 'POST', `/v1/sandboxes/${sandbox.id}/ping`)).status)
      return performance.now() > until ? true : undefined
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  )
  assert.deepEqual([...statuses], [204])
  await sandbox.until('paused')
  await user.destroy(sandbox.id)
})

test('with on_timeout destroy an idle sandbox is destroyed, and says why', async () => {
  const sandbox = await LivingSandbox.create(user, { timeout_sec: timeoutSec, on_timeout: 'destroy' })
  const { status_reason: reason } = await sandbox.until('stopped')
  assert.match(reason ?? '', /without activity/)
  assert.deepEqual(await user.list(), [])
})
