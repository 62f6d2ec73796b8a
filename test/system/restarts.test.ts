// Any process of a platform may be killed at any time: sandboxes run on, the launcher heals, the next start takes over.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { LivingSandbox } from '../support/living-sandbox.ts'
import { leftovers } from '../support/machine.ts'
import { TestPlatform, type ProcessName } from '../support/real-platform.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
})

after(() => platform?.remove())

async function healthy(): Promise<void> {
  await pollUntil(
    'the platform is healthy again',
    async () => ((await fetch(`${platform.url}/health`)).status === 200 ? true : undefined),
    { timeoutMs: 30_000 },
  )
}

for (const name of ['host-agent', 'control-plane', 'postgres'] satisfies ProcessName[]) {
  test(`kill -9 of ${name} is healed, and sandboxes run on`, async () => {
    const sandboxes = await Promise.all([LivingSandbox.create(user), LivingSandbox.create(user)])
    const { pid } = await platform.process(name)
    await platform.kill(name)
    await healthy()
    assert.notEqual((await platform.process(name)).pid, pid)
    for (const sandbox of sandboxes) await sandbox.assertAlive()
    await Promise.all(sandboxes.map(({ id }) => user.destroy(id)))
  })
}

test('after kill -9 of the launcher the next start takes over', async () => {
  const sandbox = await LivingSandbox.create(user)
  await platform.kill('launcher')
  await platform.start()
  await sandbox.assertAlive()
  await user.destroy(sandbox.id)
})

test('after kill -9 of the launcher and everything else, too', async () => {
  const sandbox = await LivingSandbox.create(user)
  for (const name of ['launcher', 'host-agent', 'postgres', 'control-plane'] satisfies ProcessName[])
    await platform.kill(name)
  await platform.start()
  await sandbox.assertAlive()
  await user.destroy(sandbox.id)
})

test('a VM that no state file knows is ended by the next agent, and its row says so', async () => {
  const { id } = await LivingSandbox.create(user)
  const other = await LivingSandbox.create(user)
  await platform.kill('launcher')
  await platform.kill('host-agent')
  await rm(join(platform.folder, 'sandboxes', id, 'state.json'))
  await platform.start()
  await other.assertAlive()
  const row = await pollUntil(
    'the row is stopped',
    async () => {
      const { body } = await user.call('getSandbox', 'GET', `/v1/sandboxes/${id}`)
      const sandbox = body as { status: string; status_reason?: string }
      return sandbox.status === 'stopped' ? sandbox : undefined
    },
    { timeoutMs: 10_000 },
  )
  assert.ok(row.status_reason)
  assert.ok((await leftovers(platform.instance, platform.folder)).every((line) => !line.includes(id)))
  await user.destroy(other.id)
})

test('a second launcher on the same folder is refused with the pid of the first', async () => {
  const { pid } = await platform.process('launcher')
  const error = await platform.startAnother().catch((thrown: unknown) => thrown)
  assert.match(String(error), new RegExp(`pid ${pid}`))
  await healthy()
})

test('ctrl-C with WRENN_ON_STOP=keep lets sandboxes run on, and the next start adopts them', async () => {
  await platform.interrupt()
  await platform.start({ WRENN_ON_STOP: 'keep' })
  const sandbox = await LivingSandbox.create(user)
  await platform.interrupt()
  assert.match(platform.output, /1 sandbox: running on/)
  await platform.start()
  await sandbox.assertAlive()
  await user.destroy(sandbox.id)
})

test('ctrl-C with WRENN_ON_STOP=destroy destroys sandboxes, says so, and leaves nothing on the machine', async () => {
  const { id } = await LivingSandbox.create(user)
  await platform.interrupt()
  assert.match(platform.output, /1 sandbox: destroyed/)
  assert.deepEqual(await leftovers(platform.instance, platform.folder), [])
  await platform.start()
  const { body } = await user.call('getSandbox', 'GET', `/v1/sandboxes/${id}`)
  assert.equal((body as { status: string }).status, 'stopped')
})

test('two platforms on one machine do not see or sweep what is the other’s', async () => {
  const mine = await LivingSandbox.create(user)
  const second = await TestPlatform.create()
  try {
    const stranger = await User.signUp(second.url)
    const theirs = await stranger.create()
    assert.equal((await user.exec(theirs.id, { cmd: 'true' })).status, 404)
    assert.deepEqual(
      (await user.list()).map(({ id }) => id),
      [mine.id],
    )
    for (const [victim, witness] of [
      [second, () => mine.assertAlive()],
      [platform, () => stranger.sh(theirs.id, 'true')],
    ] as const) {
      await victim.kill('launcher')
      await victim.kill('host-agent')
      await victim.start()
      await witness()
    }
    await mine.assertAlive()
  } finally {
    await second.remove()
  }
  await mine.assertAlive()
  await user.destroy(mine.id)
})
