// Snapshot templates, with real VMs: what is made from one starts where the sandbox stood, and depends on nobody.
import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { AppError, base32, newId, pollUntil, type SandboxId } from '@wrenn/base'
import { randomBytes } from 'node:crypto'
import type { Parts } from './parts.ts'
import type { Sandboxes } from './sandboxes.ts'
import { boom, size, TestHost } from './test-host.ts'

let host: TestHost

before(async () => {
  host = await TestHost.open()
})

afterEach(async () => {
  for (const { template } of host.snapshots.list()) await host.snapshots.delete(template.key)
  assert.deepEqual(await readdir(host.parts.folders.snapshots), [])
})

after(() => host.remove())

/** Steps fail only then. */
let armed = false

function boomWhenArmed(): void {
  if (armed) boom()
}

function newKey(): string {
  return `snap-${base32(randomBytes(20))}`
}

async function sh(sandboxes: Sandboxes, id: SandboxId, script: string): Promise<string> {
  const result = await sandboxes.guest.exec(id, { cmd: 'sh', args: ['-c', script], timeoutSec: 60 })
  assert.equal(result.exitCode, 0, result.stderr)
  return result.stdout.trim()
}

/** A sandbox with a process, a file on its disk and one in its memory. */
async function begin(sandboxes: Sandboxes): Promise<SandboxId> {
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  await sh(
    sandboxes,
    id,
    'echo disk > /root/disk; echo memory > /run/memory; (while :; do sleep 0.1; done) >/dev/null 2>&1 & echo $! > /run/pid',
  )
  return id
}

async function assertBegun(sandboxes: Sandboxes, id: SandboxId): Promise<void> {
  const seen = await sh(sandboxes, id, 'kill -0 $(cat /run/pid) && cat /root/disk /run/memory && hostname')
  assert.equal(seen, `disk\nmemory\n${id}`)
}

async function createFrom(sandboxes: Sandboxes, key: string): Promise<SandboxId> {
  const id = newId('sb')
  await sandboxes.create({ id, ...size, snapshot: key })
  return id
}

for (const status of ['running', 'paused']) {
  test(`what is made from the snapshot of a ${status} sandbox starts where that stood, each as itself`, async () => {
    const sandboxes = host.sandboxes()
    const id = await begin(sandboxes)
    if (status === 'paused') await sandboxes.pause(id)
    const key = newKey()
    const { sizeBytes } = await sandboxes.snapshot(id, key)
    assert.throws(() => sandboxes.get(id), { code: 'not_found' })
    await host.assertNothingLeft(sandboxes)

    const folder = join(host.parts.folders.snapshots, key)
    const files = await Promise.all((await readdir(folder)).map((name) => stat(join(folder, name))))
    assert.equal(
      sizeBytes,
      files.reduce((sum, { blocks }) => sum + blocks * 512, 0),
    )
    assert.ok(files.every(({ uid, mode, nlink }) => uid === 0 && (mode & 0o077) === 0 && nlink === 1))

    const clones = await Promise.all([createFrom(sandboxes, key), createFrom(sandboxes, key)])
    const own = await Promise.all(
      clones.map(async (clone) => {
        await assertBegun(sandboxes, clone)
        return sh(
          sandboxes,
          clone,
          'cat /etc/machine-id; head -c 16 /dev/urandom | od -An -tx1; uuidgen || cat /proc/sys/kernel/random/uuid',
        )
      }),
    )
    const [one = [], other = []] = own.map((text) => text.split('\n'))
    for (const [index, value] of one.entries()) assert.notEqual(value, other[index])
    const [first, second] = clones
    assert.ok(first && second)
    await sh(sandboxes, first, 'echo changed > /root/disk; echo changed > /run/memory; sync')
    await assertBegun(sandboxes, second)
    for (const clone of clones) await sandboxes.destroy(clone)
    await host.assertNothingLeft(sandboxes)
  })
}

test('a deleted snapshot is gone for creates at once; what was made from it lives on, paused or not', async () => {
  const sandboxes = host.sandboxes()
  const key = newKey()
  await sandboxes.snapshot(await begin(sandboxes), key)
  const [running, paused] = [await createFrom(sandboxes, key), await createFrom(sandboxes, key)]
  // Its memory stays unfolded: it needs the template's.
  const unfolded = host.sandboxes({ storage: { ...host.parts.storage, cloneFile: async () => boom() } })
  const late = await createFrom(unfolded, key)
  await sandboxes.pause(paused)
  await unfolded.pause(late)
  await unfolded.folded()
  const creating = createFrom(sandboxes, key).catch((error: unknown) => error)
  await host.snapshots.delete(key)
  await assert.rejects(createFrom(sandboxes, key), { code: 'not_found' })
  await assertBegun(sandboxes, running)
  // One in flight gets the whole of it, or learns that it is gone.
  const made = await creating
  if (typeof made === 'string') await assertBegun(sandboxes, made as SandboxId)
  else assert.ok(made instanceof AppError && made.code === 'not_found', String(made))
  await sandboxes.resume(paused)
  await assertBegun(sandboxes, paused)
  for (const { id } of sandboxes.list()) await sandboxes.destroy(id)
  const next = await host.restart()
  await next.resume(late)
  await assertBegun(next, late)
  await next.destroy(late)
  await host.assertNothingLeft(next)
})

const failures: Record<string, (real: Parts) => Partial<Parts>> = {
  'saving the memory': ({ storage }) => ({
    storage: {
      ...storage,
      saveDirtyPages: async (options) => {
        boomWhenArmed()
        await storage.saveDirtyPages(options)
      },
    },
  }),
  'folding the memory': ({ storage }) => ({
    storage: {
      ...storage,
      foldDelta: async (delta, memory) => {
        const failing = armed
        armed = false
        await (failing ? boom() : storage.foldDelta(delta, memory))
      },
    },
  }),
  'reading the disk': ({ images }) => ({
    images: {
      ...images,
      get hostkit() {
        return armed ? '/bin/false' : images.hostkit
      },
    },
  }),
}

for (const [step, replace] of Object.entries(failures)) {
  test(`a snapshot that fails at ${step} leaves the sandbox running as it was, and no template`, async () => {
    const sandboxes = host.withSnapshots(replace(host.parts))
    const id = await begin(sandboxes)
    armed = true
    await assert.rejects(sandboxes.snapshot(id, newKey()))
    armed = false
    assert.deepEqual(await readdir(host.parts.folders.snapshots), [])
    assert.equal(sandboxes.get(id).status, 'running')
    await assertBegun(sandboxes, id)
    await sandboxes.destroy(id)
    await host.assertNothingLeft(sandboxes)
  })
}

test('a snapshot of a paused sandbox that fails leaves it paused as it was', async () => {
  const replace = failures['reading the disk']
  assert.ok(replace)
  const sandboxes = host.withSnapshots(replace(host.parts))
  const id = await begin(sandboxes)
  await sandboxes.pause(id)
  armed = true
  await assert.rejects(sandboxes.snapshot(id, newKey()))
  armed = false
  assert.equal(sandboxes.get(id).status, 'paused')
  await sandboxes.resume(id)
  await assertBegun(sandboxes, id)
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('a sandbox whose memory is lost is no snapshot: it says what to do', async () => {
  const sandboxes = host.sandboxes()
  const id = await begin(sandboxes)
  const state = sandboxes.get(id)
  assert.equal(state.status, 'running')
  const { record, folder, vm, slot } = state.live
  await vm.kill()
  await pollUntil('it is failed', () => sandboxes.get(id).status === 'failed' || undefined, {
    timeoutMs: 5000,
  })
  await sandboxes.settled()
  // As when the machine goes down: nobody saw the VM end.
  await host.parts.network.release(slot)
  await host.parts.storage.writeRecord(folder, record)
  const next = await host.restart()
  assert.throws(() => next.snapshot(id, newKey()), { code: 'invalid_state', message: /resume it first/ })
  await next.destroy(id)
})
