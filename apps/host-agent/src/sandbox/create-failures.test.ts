// Every step of a create is made to fail in turn, with real VMs and a real network: what was acquired before it must be
// given back. Also: a destroy that cuts a create short, and a guest that dies right after its resume.
import assert from 'node:assert/strict'
import { readFile, readdir, stat } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { AppError, newId, pollUntil, unlessAborted } from '@wrenn/base'
import type { Goldens } from './goldens.ts'
import type { Parts } from './parts.ts'
import { boom, size, TestHost, withMethods } from './test-host.ts'

let host: TestHost

before(async () => {
  host = await TestHost.open()
})

after(() => host.remove())

/** Each replaces one part by one that fails at its step. */
const failures: Record<string, (real: Parts) => Partial<Parts>> = {
  'taking a slot': ({ network }) => ({ network: withMethods(network, { take: async () => boom() }) }),
  'making the folder': ({ storage }) => ({ storage: { ...storage, makeFolder: async () => boom() } }),
  'making the folder half-way': ({ storage }) => ({
    storage: {
      ...storage,
      makeFolder: async (path, uid) => {
        await storage.makeFolder(path, uid)
        boom()
      },
    },
  }),
  'cloning the disk': ({ storage }) => ({ storage: { ...storage, cloneDisk: async () => boom() } }),
  'making the cgroup': ({ cgroups }) => ({
    cgroups: {
      make: async () => boom(),
      remove: (name) => cgroups.remove(name),
      list: () => cgroups.list(),
      close: () => cgroups.close(),
    },
  }),
  'resuming the VM': ({ driver }) => ({ driver: withMethods(driver, { resume: async () => boom() }) }),
  'running the VM': ({ driver }) => ({
    driver: withMethods(driver, {
      resume: async (options) => withMethods(await driver.resume(options), { run: async () => boom() }),
    }),
  }),
  'a guest that dies at once': ({ driver }) => ({
    driver: withMethods(driver, {
      resume: async (options) => {
        const vm = await driver.resume(options)
        process.kill(vm.process.pid, 'SIGKILL')
        return vm
      },
    }),
  }),
  'linking the memory': ({ storage }) => ({ storage: { ...storage, linkBase: async () => boom() } }),
  'setting the identity': ({ connectGuest }) => ({
    connectGuest: (host, token) => withMethods(connectGuest(host, token), { init: async () => boom() }),
  }),
  'writing the state file': ({ storage }) => ({ storage: { ...storage, stageRecord: async () => boom() } }),
  'making the state file count': ({ storage }) => ({
    storage: { ...storage, stageRecord: async () => async () => boom() },
  }),
}

for (const [step, replace] of Object.entries(failures)) {
  test(`a create that fails at ${step} leaves nothing`, async () => {
    const sandboxes = host.sandboxes(replace(host.parts))
    await assert.rejects(sandboxes.create({ id: newId('sb'), ...size }), { code: 'agent_error' })
    await host.assertNothingLeft(sandboxes)
  })
}

test('a destroy cuts a create short and leaves nothing', async () => {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  const creating = sandboxes.create({ id, ...size })
  await pollUntil(
    'the VM starts',
    async () => (await host.parts.driver.list(host.parts.folders.sandboxes))[0],
    {
      timeoutMs: 10_000,
      intervalMs: 1,
    },
  )
  const [outcome] = await Promise.allSettled([creating, sandboxes.destroy(id)])
  assert.equal(outcome.status, 'rejected')
  assert.ok(outcome.reason instanceof AppError && outcome.reason.code === 'not_found')
  await host.assertNothingLeft(sandboxes)
})

test('a destroy cuts a create short that waits for a golden snapshot to be made, and does not wait for it', async () => {
  const boot = Promise.withResolvers<never>()
  const slow: Pick<Goldens, 'use'> = {
    use: (_spec, _work, signal) => unlessAborted(boot.promise, signal),
  }
  const sandboxes = host.sandboxes({}, slow)
  const id = newId('sb')
  const creating = sandboxes.create({ id, ...size })
  const [outcome] = await Promise.allSettled([creating, sandboxes.destroy(id)])
  assert.equal(outcome.status, 'rejected')
  await host.assertNothingLeft(sandboxes)
})

test('an id that is taken is refused, and the sandbox that has it goes on', async () => {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  assert.throws(() => sandboxes.create({ id, ...size }), { code: 'already_exists' })
  const result = await sandboxes.guest.exec(id, { cmd: 'hostname', args: [], timeoutSec: 30 })
  assert.equal(result.stdout, `${id}\n`)
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('a VM that is killed fails its sandbox, and what runs in it is told', async () => {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  const { vm } = await sandboxes.create({ id, ...size })
  const running = sandboxes.guest.exec(id, { cmd: 'sleep', args: ['60'], timeoutSec: 90 })
  process.kill(vm.process.pid, 'SIGKILL')
  await assert.rejects(running, { code: 'agent_error' })
  await pollUntil('it is failed', () => sandboxes.get(id).status === 'failed' || undefined, {
    timeoutMs: 5000,
  })
  await assert.rejects(sandboxes.guest.exec(id, { cmd: 'true', args: [], timeoutSec: 1 }), {
    code: 'invalid_state',
  })
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('a VMM can write its own folder and nothing else', async () => {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  const { vm, slot } = await sandboxes.create({ id, ...size })
  const status = await readFile(`/proc/${vm.process.pid}/status`, 'utf8')
  assert.match(status, new RegExp(`^Uid:\\t${slot.uid}\\t${slot.uid}\\t${slot.uid}\\t${slot.uid}$`, 'm'))
  assert.match(status, /^CapBnd:\t0+$/m)
  assert.match(status, /^NoNewPrivs:\t1$/m)
  assert.match(status, /^Seccomp:\t2$/m)
  const owned = async (path: string): Promise<boolean> => (await stat(path)).uid === slot.uid
  const { sandboxes: root, goldens: goldenRoot } = host.parts.folders
  assert.deepEqual(await Promise.all([owned(`${root}/${id}`), owned(`${root}/${id}/vm`)]), [false, true])
  const key = (await host.goldens.prepare(size)).key
  for (const file of await readdir(`${goldenRoot}/${key}`)) {
    const { uid, mode } = await stat(`${goldenRoot}/${key}/${file}`)
    assert.deepEqual([uid, mode & 0o022], [0, 0], file)
  }
  await sandboxes.destroy(id)
})
