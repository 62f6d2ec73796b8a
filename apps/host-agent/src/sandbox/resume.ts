// Resuming a sandbox in a new VM and another slot. What was saved stays untouched until the guest has answered: its disk
// is frozen until the state file says that the sandbox runs. One without memory that loads boots its disk.
import { basename, join } from 'node:path'
import { AppError, timed, UndoStack } from '@wrenn/base'
import type { Slot } from '../network/slot.ts'
import { savedFiles, vmFiles } from '../storage/layout.ts'
import type { Vm } from '../vmm/driver.ts'
import { bootTimeoutMs, endConsole, loadOrBoot, tryBoots, withGuest, withVmm } from './boot.ts'
import { foldMemory } from './fold.ts'
import type { PausedSandbox } from './pause.ts'
import { freshIdentity } from './identity.ts'
import type { Parts } from './parts.ts'
import { changed, type RecordIn } from './record.ts'
import { connect, undoAll, type LiveSandbox, type StoredSandbox } from './sandbox.ts'

/** envd thaws a disk that has been frozen for a minute: a guest that answers so late has been given up by then. */
const frozenMs = 40_000

export type Resumable = StoredSandbox<RecordIn<'saved' | 'cold'>>

/** On any failure the sandbox is paused as before. `changedTo` is told what stands on disk from then on. */
export async function resumeSandbox(
  parts: Parts,
  paused: Resumable,
  { signal, changedTo }: { signal: AbortSignal; changedTo: (paused: Resumable) => void },
): Promise<LiveSandbox> {
  const boot = (cold: Resumable): Promise<LiveSandbox> => {
    const what = `the disk of ${cold.record.id}`
    return tryBoots(() => startVm(parts, cold, signal), { what, signal, log: parts.log })
  }
  if (!isSaved(paused)) return await boot(paused)
  return await loadOrBoot(parts, paused.record.state.savedBy, {
    signal,
    load: async () => {
      const whole = await foldMemory(parts, paused)
      changedTo(whole)
      return await startVm(parts, whole, signal)
    },
    boot: async (reason) => {
      const cold = await giveUpMemory(parts, paused, reason)
      changedTo(cold)
      return await boot(cold)
    },
  })
}

/** From here on only its disk counts: a boot writes to it, and then no saved memory fits it any more. */
export async function giveUpMemory(
  parts: Parts,
  { record, folder }: StoredSandbox,
  reason: string,
): Promise<StoredSandbox<RecordIn<'cold'>>> {
  const cold = changed(record, { kind: 'cold', reason })
  await parts.storage.writeRecord(folder, cold)
  return { record: cold, folder }
}

async function startVm(parts: Parts, paused: Resumable, signal: AbortSignal): Promise<LiveSandbox> {
  const { record, folder } = paused
  const cold = record.state.kind === 'cold' ? record.state.reason : undefined
  const undo = new UndoStack()
  try {
    const { slot, vm } = await timed('restore', () => load(parts, paused, { undo, signal }))
    const token = cold === undefined ? record.token : ''
    const identity = { ...freshIdentity(record.id, record.token), machineId: record.machineId }
    const envd = connect(parts, vm, slot, token)
    undo.defer('envd', () => envd.close(new AppError('agent_error', 'the sandbox was not resumed')))
    const running = changed(record, {
      kind: 'live',
      memory: 'own',
      slot: slot.index,
      process: vm.process,
      startedAt: new Date().toISOString(),
      ...(cold === undefined ? {} : { reason: `Its disk was booted anew, its processes are lost: ${cold}` }),
    })
    await timed('guest', async () => {
      if (cold === undefined) await withGuest('its VM does not run', folder, vm.run())
      const timeoutMs = cold === undefined ? frozenMs : bootTimeoutMs
      await withGuest('its guest does not answer', folder, envd.init(identity, { timeoutMs, signal }))
      if (cold !== undefined) await endConsole(folder, vm)
      signal.throwIfAborted()
      // If the thaw fails, nothing was written to the disk, and the sandbox is paused again.
      undo.defer('state file', () => parts.storage.writeRecord(folder, record))
      await parts.storage.writeRecord(folder, running)
      await envd.thaw()
    })
    undo.keep()
    if (record.state.kind === 'saved') {
      const { deviceState, delta } = savedFiles(folder, record.state.number)
      await parts.storage.removeFiles([deviceState, delta])
    }
    return { record: running, folder, slot, vm, envd }
  } catch (cause) {
    await undoAll(parts, undo, record.id)
    signal.throwIfAborted()
    throw cause
  }
}

async function load(
  parts: Parts,
  { record, folder }: Resumable,
  { undo, signal }: { undo: UndoStack; signal: AbortSignal },
): Promise<{ slot: Slot; vm: Vm }> {
  const { network, cgroups, storage, driver } = parts
  const name = basename(folder)
  const { memory } = vmFiles(folder)
  const machine = {
    vcpus: record.vcpus,
    memoryMib: record.memoryMib,
    rootfs: join(parts.folders.rootfs, record.rootfs),
  }
  signal.throwIfAborted()
  const slot = await undo.acquire('slot', network.take(), (taken) => network.release(taken))
  undo.defer('cgroup', () => cgroups.remove(name))
  const cgroup = await cgroups.make(name, machine)
  undo.defer('files', () => storage.takeBack(folder))
  await storage.giveTo(folder, slot.uid)
  const place = { slot, folder, cgroup }
  if (record.state.kind === 'cold') {
    const { kernel, initramfs } = parts.images.boot
    const blank = { path: await storage.blankMemory(folder, slot.uid, record.memoryMib), keep: false }
    const boot = driver.boot({ place, machine, kernel, initramfs, memory: blank, signal })
    const booted = withVmm('its VM does not start', folder, boot)
    return { slot, vm: await undo.acquire('vm', booted, (made) => made.kill()) }
  }
  const { deviceState } = savedFiles(folder, record.state.number)
  const saved = { memory: { kind: 'own' as const, path: memory }, deviceState }
  const resume = driver.resume({ place, machine, saved, signal })
  const resumed = withVmm('what was saved does not load', folder, resume)
  return { slot, vm: await undo.acquire('vm', resumed, (made) => made.kill()) }
}

function isSaved(paused: Resumable): paused is PausedSandbox {
  return paused.record.state.kind === 'saved'
}
