// What another VMM saved: it loads, or the disk is booted and the sandbox says why; and what is merely damaged is kept.
// With real VMs. A state file that is changed stands for another version: what it says is all that an agent knows.
import assert from 'node:assert/strict'
import { open, readdir, readFile, readlink, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { isAlive, newId, type SandboxId } from '@wrenn/base'
import { savedFiles, vmFiles } from '../storage/layout.ts'
import type { SavedBy, Vm } from '../vmm/driver.ts'
import { recover } from './recover.ts'
import { templateFiles } from './saved-template.ts'
import { Sandboxes } from './sandboxes.ts'
import { Snapshots } from './snapshots.ts'
import { Templates } from './templates.ts'
import { boom, size, TestHost, withMethods } from './test-host.ts'
import { reasonOf } from './states.ts'

let host: TestHost

before(async () => {
  host = await TestHost.open()
})

after(() => host.remove())

async function sh(sandboxes: Sandboxes, id: SandboxId, script: string): Promise<string> {
  const result = await sandboxes.guest.exec(id, { cmd: 'sh', args: ['-c', script], timeoutSec: 60 })
  assert.equal(result.exitCode, 0, result.stderr)
  return result.stdout.trim()
}

const content = 'echo on the disk > /root/disk; echo in memory > /run/memory'

interface Paused {
  id: SandboxId
  folder: string
  deviceState: string
}

/** One that is paused and folded, with a file on its disk and one in memory; no agent knows it any more. */
async function paused(spec: Partial<typeof size> = {}): Promise<Paused> {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  const { folder } = await sandboxes.create({ id, ...size, ...spec })
  await sh(sandboxes, id, content)
  const { record } = await sandboxes.pause(id)
  await sandboxes.folded()
  return { id, folder, deviceState: savedFiles(folder, record.state.number).deviceState }
}

/** The state file's or manifest's `savedBy`, as if another VMM had written it. */
async function savedBy(path: string, change: Partial<SavedBy>): Promise<void> {
  const record = JSON.parse(await readFile(path, 'utf8')) as { savedBy?: object; state?: { savedBy: object } }
  const owner = record.state ?? record
  owner.savedBy = { ...owner.savedBy, ...change }
  await writeFile(path, JSON.stringify(record))
}

async function damage(file: string): Promise<void> {
  await truncate(file, Math.floor((await stat(file)).size / 2))
}

const assertResumed = async (sandboxes: Sandboxes, id: SandboxId): Promise<void> =>
  assert.equal(await sh(sandboxes, id, 'cat /root/disk /run/memory'), 'on the disk\nin memory')

/** Its files are there, its processes are not; it is itself, and says what happened. */
async function assertBooted(sandboxes: Sandboxes, id: SandboxId, reason: RegExp): Promise<void> {
  const state = sandboxes.get(id)
  assert.equal(state.status, 'running')
  assert.match(String(reasonOf(state)), reason)
  const seen = await sh(
    sandboxes,
    id,
    'cat /root/disk; ls /run/memory 2>/dev/null; hostname; cat /etc/machine-id',
  )
  assert.equal(seen, `on the disk\n${id}\n${state.live.record.machineId}`)
}

test('a state that another version saved is tried, and loads', async () => {
  const { id, folder } = await paused()
  await savedBy(vmFiles(folder).state, { version: '7.1.0' })
  const sandboxes = await host.restart()
  await sandboxes.resume(id)
  await assertResumed(sandboxes, id)
  assert.equal(reasonOf(sandboxes.get(id)), undefined)
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

for (const [change, reason] of [
  [{ accelerator: 'kvm' }, /booted anew.*saved with the accelerator kvm, and this host has tcg/],
  [{ cpu: 'host Some Processor' }, /booted anew.*processor host Some Processor, and this host has max/],
  [{ machine: 'pc-q35-6.0' }, /booted anew.*machine type pc-q35-6.0, and this host has pc-q35-7.2/],
] as const) {
  test(`what was saved with another ${Object.keys(change).join()} is booted from its disk, and lives on`, async () => {
    const { id, folder } = await paused()
    await savedBy(vmFiles(folder).state, change)
    const sandboxes = await host.restart()
    const { record } = await sandboxes.resume(id)
    await assertBooted(sandboxes, id, reason)
    assert.equal(record.token, (await sandboxes.pause(id)).record.token)
    await sandboxes.resume(id)
    assert.equal(reasonOf(sandboxes.get(id)), undefined)
    await sh(sandboxes, id, 'echo more > /root/more && sync')
    await sandboxes.destroy(id)
    await host.assertNothingLeft(sandboxes)
  })
}

test('a damaged state of another version is booted from its disk, with two vcpus, too', async () => {
  const { id, folder, deviceState } = await paused({ vcpus: 2 })
  await savedBy(vmFiles(folder).state, { version: '7.1.0' })
  await damage(deviceState)
  const sandboxes = await host.restart()
  await sandboxes.resume(id)
  await assertBooted(sandboxes, id, /what version 7\.1\.0 saved does not load in /)
  assert.equal(await sh(sandboxes, id, 'nproc'), '2')
  await sandboxes.destroy(id)
})

test('a damaged state of this version stays paused and whole, and resumes when its file is back', async () => {
  const { id, folder, deviceState } = await paused()
  const good = await readFile(deviceState)
  await damage(deviceState)
  const state = await readFile(vmFiles(folder).state, 'utf8')
  const sandboxes = await host.restart()
  await assert.rejects(sandboxes.resume(id), {
    code: 'agent_error',
    message: 'the sandbox could not be resumed, it stays paused: what was saved does not load',
  })
  assert.equal(sandboxes.get(id).status, 'paused')
  assert.equal(await readFile(vmFiles(folder).state, 'utf8'), state)
  await writeFile(deviceState, good)
  await sandboxes.resume(id)
  await assertResumed(sandboxes, id)
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('what runs in an older version than the one installed is saved as that version', async () => {
  const { driver } = host.parts
  const upgraded = withMethods(driver, { savedBy: { ...driver.savedBy, version: '99.0.0' } })
  const sandboxes = host.sandboxes({ driver: upgraded })
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  const { record } = await sandboxes.pause(id)
  assert.deepEqual(record.state.savedBy, driver.savedBy)
  await sandboxes.destroy(id)
})

test('a host that is short of something keeps the memory that another version saved', async () => {
  const { id, folder } = await paused()
  await savedBy(vmFiles(folder).state, { version: '7.1.0' })
  const { driver, network, storage } = host.parts
  for (const replace of [
    { network: withMethods(network, { take: async () => boom() }) },
    { storage: { ...storage, giveTo: async () => boom() } },
    { driver: withMethods(driver, { resume: async () => boom() }) },
  ]) {
    const short = await host.restart(replace)
    await assert.rejects(short.resume(id), { code: 'agent_error' })
  }
  const sandboxes = await host.restart()
  await sandboxes.resume(id)
  await assertResumed(sandboxes, id)
  await sandboxes.destroy(id)
})

/** Paused, and its memory is of no use here. */
async function cold(): Promise<Paused> {
  const made = await paused()
  await savedBy(vmFiles(made.folder).state, { accelerator: 'kvm' })
  return made
}

test('a boot that hangs is ended at its deadline and tried again', async () => {
  const { id } = await cold()
  const { driver, connectGuest } = host.parts
  const booted: Vm[] = []
  const deadlines: number[] = []
  const sandboxes = await host.restart({
    driver: withMethods(driver, {
      boot: async (options) => {
        const vm = await driver.boot(options)
        booted.push(vm)
        if (booted.length === 1) await vm.stop()
        return vm
      },
    }),
    connectGuest: (address, token) => {
      const envd = connectGuest(address, token)
      const isFirst = booted.length === 1
      return withMethods(envd, {
        init: async (identity, options) => {
          deadlines.push(options.timeoutMs)
          await envd.init(identity, isFirst ? { ...options, timeoutMs: 500 } : options)
        },
      })
    },
  })
  await sandboxes.resume(id)
  await assertBooted(sandboxes, id, /booted anew/)
  assert.deepEqual(deadlines, [45_000, 45_000])
  assert.deepEqual(
    booted.map((vm) => isAlive(vm.process)),
    [false, true],
  )
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('a disk that does not mount is tried three times and said, and the sandbox stays', async () => {
  const { id, folder } = await cold()
  const { disk } = vmFiles(folder)
  const file = await open(disk, 'r+')
  const block = Buffer.alloc(4096)
  await file.read(block, 0, block.length, 0)
  await file.write(Buffer.alloc(4096), 0, 4096, 0)
  const sandboxes = await host.restart()
  await assert.rejects(sandboxes.resume(id), {
    code: 'agent_error',
    message: /stays paused: .*did not boot in 3 attempts: .*its console: .*disk \(vdb\) does not mount/,
  })
  assert.equal(sandboxes.get(id).status, 'paused')
  await host.assertNamespaces(0)
  await file.write(block, 0, block.length, 0)
  await file.close()
  await sandboxes.resume(id)
  await assertBooted(sandboxes, id, /booted anew/)
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('a booted guest cannot fill the disk of its host with its console', async () => {
  const { id, folder } = await cold()
  const sandboxes = await host.restart()
  await sandboxes.resume(id)
  await sh(sandboxes, id, 'head -c 200000 /dev/zero > /dev/ttyS0')
  assert.ok(!(await readdir(vmFiles(folder).vm)).includes('serial.log'))
  const state = sandboxes.get(id)
  assert.equal(state.status, 'running')
  const fds = `/proc/${state.live.vm.process.pid}/fd`
  const links = await Promise.all((await readdir(fds)).map((fd) => readlink(`${fds}/${fd}`)))
  assert.deepEqual(
    links.filter((link) => link.includes('serial.log')),
    [],
  )
  await sandboxes.destroy(id)
})

interface SavedSnapshot {
  key: string
  folder: string
}

async function snapshot(): Promise<SavedSnapshot> {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  await sh(sandboxes, id, content)
  const key = newId('snap')
  await sandboxes.snapshot(id, key)
  return { key, folder: join(host.parts.folders.snapshots, key) }
}

for (const [what, change, isDamaged, reason] of [
  ['another version', { version: '7.1.0' }, false, undefined],
  ['another version that does not load', { version: '7.1.0' }, true, /version 7\.1\.0 saved does not load/],
  ['another accelerator', { accelerator: 'kvm' }, false, /accelerator kvm, and this host has tcg/],
] as const) {
  test(`a sandbox from a snapshot of ${what} ${reason ? 'is booted from its disk' : 'runs'}`, async () => {
    const { key, folder } = await snapshot()
    await savedBy(templateFiles(folder).manifest, change)
    if (isDamaged) await damage(templateFiles(folder).deviceState)
    const sandboxes = await host.restart()
    const ids = [newId('sb'), newId('sb')] as const
    for (const id of ids) {
      await sandboxes.create({ ...size, id, snapshot: key })
      if (reason) await assertBooted(sandboxes, id, reason)
      else await assertResumed(sandboxes, id)
    }
    const [first, second] = ids
    await sandboxes.pause(first)
    await sandboxes.resume(first)
    assert.equal(await sh(sandboxes, first, 'cat /root/disk'), 'on the disk')
    // What it was booted from is no longer needed, by it or by its memory.
    await host.snapshots.delete(key)
    await sandboxes.snapshot(second, `${key}-2`)
    const third = newId('sb')
    await sandboxes.create({ ...size, id: third, snapshot: `${key}-2` })
    assert.equal(await sh(sandboxes, third, 'cat /root/disk; hostname'), `on the disk\n${third}`)
    await host.snapshots.delete(`${key}-2`)
    for (const id of [first, third]) await sandboxes.destroy(id)
    await host.assertNothingLeft(sandboxes)
  })
}

test('a damaged snapshot of this version makes nothing, says why, and stays', async () => {
  const { key, folder } = await snapshot()
  await damage(templateFiles(folder).deviceState)
  const sandboxes = await host.restart()
  await assert.rejects(sandboxes.create({ ...size, id: newId('sb'), snapshot: key }), {
    code: 'agent_error',
    message: 'the sandbox could not be started: what was saved does not load',
  })
  await host.assertNothingLeft(sandboxes)
  assert.ok(host.snapshots.find(key))
  await host.snapshots.delete(key)
})

test('what a newer version has written is kept, named, and used again by that version', async () => {
  const { id, folder } = await paused()
  const { key, folder: snapshotFolder } = await snapshot()
  const files = [vmFiles(folder).state, templateFiles(snapshotFolder).manifest]
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  for (const [index, file] of files.entries())
    await writeFile(file, JSON.stringify({ ...JSON.parse(texts[index] ?? '{}'), version: 99, more: true }))

  const snapshots = new Snapshots(host.parts)
  await snapshots.open()
  const found = await recover(host.parts, snapshots)
  assert.deepEqual(
    found.warnings.map((warning) => /cannot read (\S+) /.exec(warning)?.[1]),
    [`sandboxes/${basename(folder)}`, `snapshots/${key}`],
  )
  const older = new Sandboxes(host.parts, new Templates(host.goldens, snapshots))
  older.adopt(found)
  const state = older.get(id)
  assert.equal(state.status, 'failed')
  assert.match(state.reason, /state file has version 99/)
  assert.equal(state.stored.record.generation, 0)
  assert.throws(() => older.resume(id), { code: 'invalid_state', message: /version 99/ })
  assert.equal(snapshots.find(key), undefined)
  await snapshots.delete(key)

  for (const [index, file] of files.entries()) await writeFile(file, texts[index] ?? '')
  const newer = await host.restart()
  await newer.resume(id)
  await assertResumed(newer, id)
  const clone = newId('sb')
  await newer.create({ ...size, id: clone, snapshot: key })
  await assertResumed(newer, clone)
  await host.snapshots.delete(key)
  for (const each of [id, clone]) await newer.destroy(each)
  await host.assertNothingLeft(newer)
})
