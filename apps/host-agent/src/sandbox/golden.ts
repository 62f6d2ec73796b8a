// Golden snapshots: a template booted once with given resources, exercised, and saved. Every create resumes one.
// A golden is a folder named by everything its state depends on; it appears whole or not at all.
import { createHash, randomBytes } from 'node:crypto'
import { access, chmod, chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError, readFileIfThere, syncFolder, UndoStack, withDeadline, writeFileDurable } from '@wrenn/base'
import type { Envd } from '../guest/envd.ts'
import { exec } from '../guest/exec.ts'
import { dataExtents, formatDisk } from '../storage/disk.ts'
import { vmFiles } from '../storage/layout.ts'
import { giveToVm, makeVmFolder, removeVmFolder } from '../storage/vm-folder.ts'
import type { MachineSpec, SavedMachine } from '../vmm/driver.ts'
import { freshIdentity } from './identity.ts'
import type { Parts } from './parts.ts'

export interface GoldenSpec {
  template: string
  vcpus: number
  memoryMib: number
}

export interface Golden {
  key: string
  machine: MachineSpec
  saved: SavedMachine
  disk: { path: string; extents: { offset: number; length: number }[] }
  /** envd's access token in the saved memory: a resumed VM accepts `/init` only with it. */
  token: string
}

/** A boot takes 4 to 7 s under emulation on an idle machine; it is tried three times, since a guest may hang in it. */
const bootTimeoutMs = 45_000
const bootAttempts = 3

/** Raise when the way goldens are made changes. */
const recipe = 2

/** Run once in every golden, so that what any first command needs is in its page cache. */
const exercise = ['/bin/sh -c true', '/bin/bash -c true', '/usr/bin/python3 -c 1']

export function goldenKey(parts: Parts, spec: GoldenSpec): string {
  const template = templateOf(parts, spec.template)
  const inputs = [
    recipe,
    parts.images.boot.hash,
    template.hash,
    spec.vcpus,
    spec.memoryMib,
    parts.diskMib,
    parts.driver.compatibility,
  ]
  return createHash('sha256').update(inputs.join('\n')).digest('hex').slice(0, 20)
}

export function templateOf(parts: Parts, name: string): { hash: string; rootfs: string } {
  const template = Object.hasOwn(parts.images.templates, name) ? parts.images.templates[name] : undefined
  if (!template) throw new AppError('not_found', `there is no template ${JSON.stringify(name)}`)
  return template
}

const manifestSchema = z.object({
  spec: z.object({ template: z.string(), vcpus: z.number(), memoryMib: z.number() }),
  token: z.string(),
  extents: z.array(z.object({ offset: z.number(), length: z.number() })),
})

/** The golden in this folder; undefined when there is none, or it was made from other images or by another VMM. */
export async function loadGolden(parts: Parts, key: string): Promise<Golden | undefined> {
  const files = goldenFiles(join(parts.folders.goldens, key))
  const text = await readFileIfThere(files.manifest)
  if (text === undefined) return undefined
  const manifest = parseManifest(text)
  if (!manifest || !Object.hasOwn(parts.images.templates, manifest.spec.template)) return undefined
  const { spec, token, extents } = manifest
  if (goldenKey(parts, spec) !== key) return undefined
  // A removal that was interrupted may have left the manifest.
  if (!(await allThere([files.memory, files.deviceState, files.disk]))) return undefined
  const { rootfs } = templateOf(parts, spec.template)
  const saved = { key, memory: files.memory, deviceState: files.deviceState }
  const machine = { vcpus: spec.vcpus, memoryMib: spec.memoryMib, rootfs }
  return { key, machine, saved, disk: { path: files.disk, extents }, token }
}

function parseManifest(text: string): z.infer<typeof manifestSchema> | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

async function allThere(paths: string[]): Promise<boolean> {
  const found = await Promise.allSettled(paths.map((path) => access(path)))
  return found.every(({ status }) => status === 'fulfilled')
}

/** Boots, exercises and saves. Leaves a complete golden, or nothing. */
export async function buildGolden(parts: Parts, spec: GoldenSpec): Promise<Golden> {
  let failure: unknown
  for (let attempt = 1; attempt <= bootAttempts; attempt++) {
    try {
      await bootAndSave(parts, spec)
      const golden = await loadGolden(parts, goldenKey(parts, spec))
      if (golden) return golden
      failure = new Error('the golden snapshot is gone right after it was made')
    } catch (error) {
      parts.stopping.throwIfAborted()
      failure = error
      parts.log.warn({ op: 'golden.boot', outcome: 'failed', attempt, ...spec, err: error })
    }
  }
  throw new AppError('agent_error', `template ${spec.template} did not boot in ${bootAttempts} attempts`, {
    cause: failure,
  })
}

async function bootAndSave(parts: Parts, spec: GoldenSpec): Promise<void> {
  const key = goldenKey(parts, spec)
  const { kernel, initramfs } = parts.images.boot
  const folder = join(parts.folders.goldens, `.making-${key}`)
  const files = vmFiles(folder)
  const memory = join(files.vm, 'memory')
  const machine = {
    vcpus: spec.vcpus,
    memoryMib: spec.memoryMib,
    rootfs: templateOf(parts, spec.template).rootfs,
  }
  await removeVmFolder(folder)
  const undo = new UndoStack()
  try {
    const slot = await undo.acquire('slot', parts.network.take(), (taken) => parts.network.release(taken))
    undo.defer('folder', () => removeVmFolder(folder))
    await makeVmFolder(folder, slot.uid)
    await formatDisk(files.disk, parts.diskMib)
    await giveToVm(files.disk, slot.uid)
    const place = { slot, folder, cgroup: undefined }
    const vm = await undo.acquire(
      'vm',
      parts.driver.boot({ place, machine, kernel, initramfs, memory, signal: parts.stopping }),
      (booted) => booted.kill(),
    )
    const token = randomBytes(32).toString('hex')
    const envd = parts.connectGuest(slot.hostIp, '')
    undo.defer('envd', () => envd.close(new AppError('agent_error', 'the golden VM is gone')))
    void vm.exited.then(() => envd.close(new AppError('agent_error', 'the VM ended while it booted')))
    const onStop = (): void => envd.close(parts.stopping.reason as AppError)
    parts.stopping.addEventListener('abort', onStop)
    undo.defer('stop listener', () => parts.stopping.removeEventListener('abort', onStop))
    await withDeadline('the guest boots', bootTimeoutMs, prepareGuest(envd, token)).catch(
      async (error: unknown) => {
        throw new Error(`the guest did not come up; its console: ${await consoleTail(files.serial)}`, {
          cause: error,
        })
      },
    )
    await vm.saveDevices(join(files.vm, 'device-state'))
    await vm.kill()
    await finish(parts, { folder, target: join(parts.folders.goldens, key), spec, token })
  } finally {
    const failures = await undo.undoAll()
    for (const { name, error } of failures)
      parts.log.error({ op: 'golden.undo', step: name, outcome: 'failed', err: error })
  }
}

async function prepareGuest(envd: Envd, token: string): Promise<void> {
  await envd.init(freshIdentity('sandbox', token), { timeoutMs: bootTimeoutMs })
  for (const line of exercise) {
    const [cmd = '', ...args] = line.split(' ')
    await exec(envd, { cmd, args, timeoutSec: 30 })
  }
  await exec(envd, { cmd: 'sync', args: [], timeoutSec: 30 })
  await envd.quiesce()
}

/** Moves the files to where only root can change them, the manifest last, everything durable. */
async function finish(
  parts: Parts,
  { folder, target, ...manifest }: { folder: string; target: string; spec: GoldenSpec; token: string },
): Promise<void> {
  const { vm, disk } = vmFiles(folder)
  const extents = await dataExtents(parts.images.hostkit, disk)
  const done = `${target}.new`
  await rm(done, { recursive: true, force: true })
  await mkdir(done, { mode: 0o711 })
  const files = goldenFiles(done)
  // Newer VMMs open the memory themselves; the others are opened, or copied, for them.
  for (const [from, to, mode] of [
    [join(vm, 'memory'), files.memory, 0o644],
    [join(vm, 'device-state'), files.deviceState, 0o600],
    [disk, files.disk, 0o600],
  ] as const) {
    await rename(from, to)
    await chown(to, 0, 0)
    await chmod(to, mode)
    const file = await open(to, 'r')
    await file.sync()
    await file.close()
  }
  await writeFileDurable(
    files.manifest,
    JSON.stringify({ ...manifest, extents } satisfies z.infer<typeof manifestSchema>),
  )
  await rm(target, { recursive: true, force: true })
  await rename(done, target)
  await syncFolder(parts.folders.goldens)
}

function goldenFiles(folder: string): {
  memory: string
  deviceState: string
  disk: string
  manifest: string
} {
  return {
    memory: join(folder, 'memory'),
    deviceState: join(folder, 'device-state'),
    disk: join(folder, 'disk.img'),
    manifest: join(folder, 'manifest.json'),
  }
}

async function consoleTail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-10).join(' | ') || '(nothing)'
}
