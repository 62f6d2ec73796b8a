// With a fake VMM: what is kept, shared and dropped does not depend on what a guest does. Real boots: create-failures.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createLogger, Limiter } from '@wrenn/base'
import { buildGo } from '@wrenn/images'
import { Envd } from '../guest/envd.ts'
import type { Slot } from '../network/slot.ts'
import { openStorage } from './storage.ts'
import { FakeDriver } from '../vmm/fake/driver.ts'
import { goldenKey, type GoldenSpec } from './golden.ts'
import { Capacity, unlimited } from './capacity.ts'
import { Goldens } from './goldens.ts'
import type { Parts } from './parts.ts'

const cacheDir = process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn'
/** The most that are kept (goldens.ts). */
const cap = 12
const small: GoldenSpec = { template: 'minimal', vcpus: 1, memoryMib: 128 }

let root: string
let hostkit: string
let driver: FakeDriver
let stopping: AbortController
let taken: Set<Slot>
let parts: Parts
let goldens: Goldens

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'wrenn-goldens-'))
  hostkit = await buildGo(cacheDir, 'hostkit', join(import.meta.dirname, '..', '..', 'hostkit'))
})
beforeEach(async () => {
  driver = new FakeDriver()
  stopping = new AbortController()
  taken = new Set()
  parts = await fakeParts(await mkdtemp(join(root, 'test-')))
  goldens = new Goldens(parts)
  await goldens.open()
})
after(() => rm(root, { recursive: true }))

async function fakeParts(folder: string): Promise<Parts> {
  await mkdir(join(folder, 'rootfs'))
  await writeFile(join(folder, 'rootfs', 'minimal.erofs'), 'a root filesystem')
  return {
    images: {
      boot: { hash: 'boot', kernel: '/kernel', initramfs: '/initramfs' },
      hostkit,
      templates: {
        minimal: { hash: 'minimal', rootfs: join(folder, 'rootfs', 'minimal.erofs'), sizeBytes: 1 },
      },
    },
    network: fakeNetwork(),
    driver,
    cgroups: {
      make: async () => undefined,
      remove: async () => {},
      list: async () => [],
      close: async () => {},
    },
    storage: openStorage(hostkit),
    connectGuest: (host, token) => new Envd(host, token),
    folders: {
      goldens: join(folder, 'goldens'),
      sandboxes: join(folder, 'sandboxes'),
      snapshots: join(folder, 'snapshots'),
      rootfs: join(folder, 'rootfs'),
    },
    lanes: new Limiter(2),
    capacity: new Capacity(folder, unlimited),
    diskMib: 256,
    stopping: stopping.signal,
    log: createLogger('test', 'silent'),
  }
}

/** Slots are addresses of loopback, where fake guests listen. */
function fakeNetwork(): Parts['network'] {
  let index = 0
  const block = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`
  return {
    take: async () => {
      index += 1
      const names = { netns: `fake-${index}`, tap: 'tap0', interface: `fake-${index}` }
      const slot = { index, uid: 0x7fff0000 + index, hostIp: `${block}.${index}`, ...names }
      taken.add(slot)
      return slot
    },
    release: async (slot) => void taken.delete(slot),
    adopt: async () => assert.fail('nothing is adopted'),
    sweep: async () => [],
    slots: { ready: 0, inUse: 0 },
    refill: async () => {},
    close: async () => {},
  }
}

const folders = async (): Promise<string[]> => (await readdir(parts.folders.goldens)).sort()
const folderOf = (spec: GoldenSpec): string => join(parts.folders.goldens, goldenKey(parts, spec))
const sized = (memoryMib: number): GoldenSpec => ({ ...small, memoryMib })

function assertNothingHeld(): void {
  assert.equal(taken.size, 0)
  assert.equal(driver.running, 0)
}

test('several that need the same golden at once boot it once', async () => {
  const prepared = await Promise.all([1, 2, 3].map(() => goldens.prepare(small)))
  assert.deepEqual(
    prepared.map(({ built }) => built),
    [true, false, false],
  )
  assert.equal(driver.boots, 1)
  assert.deepEqual(await folders(), [goldenKey(parts, small)])
  assertNothingHeld()
})

test('different resources are different goldens, booted side by side', async () => {
  await Promise.all([goldens.prepare(sized(128)), goldens.prepare(sized(256))])
  assert.equal(driver.boots, 2)
  assert.equal((await folders()).length, 2)
})

test("a golden's files belong to root, and only its memory can be read by others", async () => {
  await goldens.use(small, async ({ saved, disk }) => {
    for (const [path, mode] of [
      [saved.memory.path, 0o644],
      [saved.deviceState, 0o600],
      [disk.path, 0o600],
    ] as const) {
      const { uid, mode: actual } = await stat(path)
      assert.deepEqual([uid, actual & 0o777], [0, mode], path)
    }
  })
})

test('a boot that fails is tried again', async () => {
  driver.failingBoots = 2
  await goldens.prepare(small)
  assert.equal(driver.boots, 3)
  assertNothingHeld()
})

test('a golden that cannot be made leaves nothing, and the next that needs it tries anew', async () => {
  driver.failingBoots = 3
  const outcomes = await Promise.allSettled([goldens.prepare(small), goldens.prepare(small)])
  for (const outcome of outcomes)
    assert.ok(outcome.status === 'rejected' && /did not boot in 3 attempts/.test(String(outcome.reason)))
  assert.deepEqual(await folders(), [])
  assertNothingHeld()
  assert.deepEqual(await goldens.prepare(small), { key: goldenKey(parts, small), built: true })
})

test('an agent that stops gives up its boots with the reason of the stop', async () => {
  const reason = new Error('the host agent is stopping')
  driver.failingBoots = 1
  stopping.abort(reason)
  await assert.rejects(goldens.prepare(small), (error) => error === reason)
  assert.deepEqual(await folders(), [])
})

test('an unknown template is refused before anything is booted', async () => {
  for (const template of ['unknown', 'constructor', '__proto__'])
    await assert.rejects(goldens.prepare({ ...small, template }), { code: 'not_found' })
  assert.equal(driver.boots, 0)
})

test('over the cap the longest unused is dropped, and never one in use', async () => {
  const specs = Array.from({ length: cap }, (_, index) => sized(128 * (index + 1)))
  for (const spec of specs) await goldens.prepare(spec)
  const [oldest = small, second = small, third = small, ...others] = specs
  const { promise, resolve } = Promise.withResolvers<void>()
  const using = goldens.use(oldest, () => promise)
  await goldens.prepare(second)
  // Now the oldest two are the newest: so use the others, too, and the oldest is the longest unused that is in use.
  for (const spec of [third, ...others]) await goldens.prepare(spec)

  await goldens.prepare(sized(128 * (cap + 1)))
  assert.deepEqual(driver.forgotten, [goldenKey(parts, second)])
  await assert.rejects(stat(folderOf(second)))
  await stat(folderOf(oldest))
  assert.equal((await folders()).length, cap)

  resolve()
  await using
  await goldens.prepare(sized(128 * (cap + 2)))
  assert.deepEqual(
    driver.forgotten,
    [second, oldest].map((spec) => goldenKey(parts, spec)),
  )
})

test('a new agent keeps the goldens that fit, and removes everything else at its start', async () => {
  await goldens.prepare(sized(128))
  await goldens.prepare(sized(256))
  await goldens.prepare(sized(512))
  const kept = goldenKey(parts, sized(128))
  // An interrupted removal, a manifest of zeros as after a power cut, and what interrupted builds leave.
  await rm(join(folderOf(sized(256)), 'disk.img'))
  await writeFile(join(folderOf(sized(512)), 'manifest.json'), '\0'.repeat(100))
  for (const name of ['.making-0123', `${kept}.new`, 'other'])
    await mkdir(join(parts.folders.goldens, name, 'vm'), { recursive: true })

  const next = new Goldens(parts)
  await next.open()
  assert.deepEqual(await folders(), [kept])
  assert.deepEqual(await next.prepare(sized(128)), { key: kept, built: false })
  assert.equal(driver.boots, 3)
})

test('goldens of another kernel, template, disk size or VMM are outdated', async () => {
  const { images } = parts
  const changes: (() => void)[] = [
    () => (parts = { ...parts, images: { ...images, boot: { ...images.boot, hash: 'new' } } }),
    () => (parts = { ...parts, images: { ...images, templates: {} } }),
    () => (parts = { ...parts, diskMib: 512 }),
    () => (driver.compatibility = 'another machine type'),
  ]
  const before = parts
  for (const change of changes) {
    parts = before
    driver.compatibility = 'fake'
    await new Goldens(parts).prepare(small)
    change()
    await new Goldens(parts).open()
    assert.deepEqual(await folders(), [])
  }
})
