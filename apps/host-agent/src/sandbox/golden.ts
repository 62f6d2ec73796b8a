// Golden snapshots: a template booted once with given resources, exercised, and saved. Every create resumes one.
// A golden is a folder named by everything its state depends on; it appears whole or not at all.
import { createHash, randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AppError, UndoStack, withDeadline } from '@wrenn/base'
import type { Envd } from '../guest/envd.ts'
import { exec } from '../guest/exec.ts'
import { formatDisk } from '../storage/disk.ts'
import { vmFiles } from '../storage/layout.ts'
import { giveToVm, makeVmFolder, removeVmFolder } from '../storage/vm-folder.ts'
import { bootTimeoutMs, GuestNotUp, tryBoots, withGuest, withVmm } from './boot.ts'
import { freshIdentity } from './identity.ts'
import type { Parts } from './parts.ts'
import { loadTemplate, makeTemplate, type SavedTemplate } from './saved-template.ts'

export interface GoldenSpec {
  template: string
  vcpus: number
  memoryMib: number
}

/** Raise when the way goldens are made changes. */
const recipe = 3

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

/** The golden in this folder; undefined when there is none, or it was made from other images or by another VMM. */
export async function loadGolden(parts: Parts, key: string): Promise<SavedTemplate | undefined> {
  const golden = await loadTemplate(parts, join(parts.folders.goldens, key), { secret: false })
  if (!golden || !Object.hasOwn(parts.images.templates, golden.template)) return undefined
  const { template, machine } = golden
  return goldenKey(parts, { template, ...machine }) === key ? golden : undefined
}

/** Boots, exercises and saves. Leaves a complete golden, or nothing. */
export async function buildGolden(parts: Parts, spec: GoldenSpec): Promise<SavedTemplate> {
  const { stopping: signal, log } = parts
  try {
    await tryBoots(() => bootAndSave(parts, spec), { what: `template ${spec.template}`, signal, log })
  } catch (error) {
    throw error instanceof GuestNotUp ? new AppError('agent_error', error.message, { cause: error }) : error
  }
  const golden = await loadGolden(parts, goldenKey(parts, spec))
  if (golden) return golden
  throw new Error('the golden snapshot is gone right after it was made')
}

async function bootAndSave(parts: Parts, spec: GoldenSpec): Promise<void> {
  const key = goldenKey(parts, spec)
  const { kernel, initramfs } = parts.images.boot
  const folder = join(parts.folders.goldens, `.making-${key}`)
  const files = vmFiles(folder)
  const { rootfs } = templateOf(parts, spec.template)
  const machine = { vcpus: spec.vcpus, memoryMib: spec.memoryMib, rootfs }
  await removeVmFolder(folder)
  const undo = new UndoStack()
  try {
    const slot = await undo.acquire('slot', parts.network.take(), (taken) => parts.network.release(taken))
    undo.defer('folder', () => removeVmFolder(folder))
    await makeVmFolder(folder, slot.uid)
    await formatDisk(files.disk, parts.diskMib)
    await giveToVm(files.disk, slot.uid)
    const place = { slot, folder, cgroup: undefined }
    const memory = { path: files.memory, keep: true }
    const boot = parts.driver.boot({ place, machine, kernel, initramfs, memory, signal: parts.stopping })
    const vm = await undo.acquire('vm', withVmm('the VM did not start', folder, boot), (made) => made.kill())
    const token = randomBytes(32).toString('hex')
    const envd = parts.connectGuest(slot.hostIp, '')
    undo.defer('envd', () => envd.close(new AppError('agent_error', 'the golden VM is gone')))
    void vm.exited.then(() => envd.close(new AppError('agent_error', 'the VM ended while it booted')))
    const onStop = (): void => envd.close(parts.stopping.reason as AppError)
    parts.stopping.addEventListener('abort', onStop)
    undo.defer('stop listener', () => parts.stopping.removeEventListener('abort', onStop))
    const ready = withDeadline('the guest boots', bootTimeoutMs, prepareGuest(envd, token))
    await withGuest('the guest did not come up', folder, ready)
    await vm.stop()
    const deviceState = join(files.vm, 'device-state')
    await vm.saveDevices(deviceState)
    await vm.kill()
    await makeTemplate(parts, join(parts.folders.goldens, key), {
      from: { memory: files.memory, deviceState, disk: files.disk },
      content: {
        ...spec,
        rootfs: basename(rootfs),
        token,
        savedBy: { ...parts.driver.savedBy, version: vm.version },
      },
      readable: true,
      place: rename,
    })
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
  await envd.quiesce({ freeze: false, timeoutMs: bootTimeoutMs })
}
