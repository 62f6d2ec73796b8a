// Every step of a create is made to fail in turn, with real VMs and a real network: what was acquired before it must be
// given back. Also: a destroy that cuts a create short, and a guest that dies right after its resume.
import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, readdir, realpath, rm, stat } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { AppError, createLogger, instanceId, newId, pollUntil, unlessAborted } from '@wrenn/base'
import { buildImages } from '@wrenn/images'
import { leftovers } from '../../../../test/support/machine.ts'
import { listNetns } from '../network/slot.ts'
import { openParts } from '../open-parts.ts'
import { layout } from '../storage/layout.ts'
import { unlimited } from './capacity.ts'
import { Goldens } from './goldens.ts'
import type { Parts } from './parts.ts'
import { recover } from './recover.ts'
import { Sandboxes } from './sandboxes.ts'

const size = { template: 'minimal', vcpus: 1, memoryMib: 128 }
const readySlots = 2

let folder: string
let parts: Parts
let goldens: Goldens

before(async () => {
  folder = await realpath(await mkdtemp('/tmp/wa-'))
  await chmod(folder, 0o711)
  await mkdir(layout(folder).sandboxes, { mode: 0o711 })
  const images = await buildImages({ cacheDir: process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn' })
  const config = {
    dataFolder: folder,
    instance: instanceId(folder),
    diskMib: 1024,
    dns: [],
    readySlots,
    logLevel: 'silent',
    ...unlimited,
  }
  const log = createLogger('test', 'silent')
  parts = (await openParts(config, { images, log, stopping: new AbortController().signal })).parts
  await recover(parts)
  goldens = new Goldens(parts)
  await goldens.open()
  await goldens.prepare(size)
})

after(async () => {
  await parts.network.close()
  await parts.cgroups.close()
  const left = await leftovers(instanceId(folder), folder)
  await rm(folder, { recursive: true })
  assert.deepEqual(left, [])
})

/** No VM, no folder, no namespace but those of the pool. */
async function assertNothingLeft(sandboxes: Sandboxes): Promise<void> {
  assert.deepEqual(sandboxes.list(), [])
  assert.deepEqual(await parts.driver.list(parts.folders.sandboxes), [])
  assert.deepEqual(await readdir(parts.folders.sandboxes), [])
  await parts.network.refill()
  const namespaces = (await listNetns()).filter((name) => name.startsWith(`wrenn-${instanceId(folder)}-`))
  assert.equal(namespaces.length, readySlots)
}

const boom = (): never => {
  throw new Error('made to fail')
}

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
  'setting the identity': ({ connectGuest }) => ({
    connectGuest: (host, token) => withMethods(connectGuest(host, token), { init: async () => boom() }),
  }),
  'writing the state file': ({ storage }) => ({ storage: { ...storage, writeRecord: async () => boom() } }),
}

/** The same object with some methods replaced. Private fields need the real one as receiver. */
function withMethods<T extends object>(real: T, methods: Partial<T>): T {
  return new Proxy(real, {
    get: (target, name) => {
      const own = Reflect.get(Object.hasOwn(methods, name) ? methods : target, name) as unknown
      return typeof own === 'function' ? (own.bind(target) as unknown) : own
    },
  })
}

for (const [step, replace] of Object.entries(failures)) {
  test(`a create that fails at ${step} leaves nothing`, async () => {
    const sandboxes = new Sandboxes({ ...parts, ...replace(parts) }, goldens)
    await assert.rejects(sandboxes.create({ id: newId('sb'), ...size }), { code: 'agent_error' })
    await assertNothingLeft(sandboxes)
  })
}

test('a destroy cuts a create short and leaves nothing', async () => {
  const sandboxes = new Sandboxes(parts, goldens)
  const id = newId('sb')
  const creating = sandboxes.create({ id, ...size })
  await pollUntil('the VM starts', async () => (await parts.driver.list(parts.folders.sandboxes))[0], {
    timeoutMs: 10_000,
    intervalMs: 1,
  })
  const [outcome] = await Promise.allSettled([creating, sandboxes.destroy(id)])
  assert.equal(outcome.status, 'rejected')
  assert.ok(outcome.reason instanceof AppError && outcome.reason.code === 'not_found')
  await assertNothingLeft(sandboxes)
})

test('a destroy cuts a create short that waits for a golden snapshot to be made, and does not wait for it', async () => {
  const boot = Promise.withResolvers<never>()
  const slow = withMethods(goldens, { use: (_spec, _work, signal) => unlessAborted(boot.promise, signal) })
  const sandboxes = new Sandboxes(parts, slow)
  const id = newId('sb')
  const creating = sandboxes.create({ id, ...size })
  const [outcome] = await Promise.allSettled([creating, sandboxes.destroy(id)])
  assert.equal(outcome.status, 'rejected')
  await assertNothingLeft(sandboxes)
})

test('an id that is taken is refused, and the sandbox that has it goes on', async () => {
  const sandboxes = new Sandboxes(parts, goldens)
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  assert.throws(() => sandboxes.create({ id, ...size }), { code: 'already_exists' })
  const result = await sandboxes.exec(id, { cmd: 'hostname', args: [], timeoutSec: 30 })
  assert.equal(result.stdout, `${id}\n`)
  await sandboxes.destroy(id)
  await assertNothingLeft(sandboxes)
})

test('a VM that is killed fails its sandbox, and what runs in it is told', async () => {
  const sandboxes = new Sandboxes(parts, goldens)
  const id = newId('sb')
  const { vm } = await sandboxes.create({ id, ...size })
  const running = sandboxes.exec(id, { cmd: 'sleep', args: ['60'], timeoutSec: 90 })
  process.kill(vm.process.pid, 'SIGKILL')
  await assert.rejects(running, { code: 'agent_error' })
  await pollUntil('it is failed', () => sandboxes.get(id).status === 'failed' || undefined, {
    timeoutMs: 5000,
  })
  await assert.rejects(sandboxes.exec(id, { cmd: 'true', args: [], timeoutSec: 1 }), {
    code: 'invalid_state',
  })
  await sandboxes.destroy(id)
  await assertNothingLeft(sandboxes)
})

test('a VMM can write its own folder and nothing else', async () => {
  const sandboxes = new Sandboxes(parts, goldens)
  const id = newId('sb')
  const { vm, slot } = await sandboxes.create({ id, ...size })
  const status = await readFile(`/proc/${vm.process.pid}/status`, 'utf8')
  assert.match(status, new RegExp(`^Uid:\\t${slot.uid}\\t${slot.uid}\\t${slot.uid}\\t${slot.uid}$`, 'm'))
  assert.match(status, /^CapBnd:\t0+$/m)
  assert.match(status, /^NoNewPrivs:\t1$/m)
  assert.match(status, /^Seccomp:\t2$/m)
  const owned = async (path: string): Promise<boolean> => (await stat(path)).uid === slot.uid
  const { sandboxes: root, goldens: goldenRoot } = parts.folders
  assert.deepEqual(await Promise.all([owned(`${root}/${id}`), owned(`${root}/${id}/vm`)]), [false, true])
  const key = (await goldens.prepare(size)).key
  for (const file of await readdir(`${goldenRoot}/${key}`)) {
    const { uid, mode } = await stat(`${goldenRoot}/${key}/${file}`)
    assert.deepEqual([uid, mode & 0o022], [0, 0], file)
  }
  await sandboxes.destroy(id)
})
