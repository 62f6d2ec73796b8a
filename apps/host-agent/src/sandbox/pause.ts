// Pausing a sandbox: memory, devices and disk of one instant become durable, then the VM is given up. The change of the
// state file is the moment of the pause: before it any failure, also a crash, leaves the sandbox running.
import { open, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AppError, CommandError, errorText, isErrno, UndoStack } from '@wrenn/base'
import { savedFiles, vmFiles } from '../storage/layout.ts'
import type { Parts } from './parts.ts'
import { changed, type RecordIn } from './record.ts'
import { connect, undoAll, type LiveSandbox, type StoredSandbox } from './sandbox.ts'

/** A freeze writes the guest's dirty files to its disk first. */
const quiesceMs = 60_000

export interface PauseReason {
  reason?: string | undefined
  resumeAtStart?: boolean
  snapshot?: string | undefined
}

export type PausedSandbox = StoredSandbox<RecordIn<'saved'>>

/**
 * Throws `agent_error`, or `no_capacity` when the machine's disk is full; the guest runs on then, and `resumed` is
 * called with the client that reaches it from now on.
 */
export async function pauseSandbox(
  parts: Parts,
  live: LiveSandbox,
  { reason, resumeAtStart = false, snapshot }: PauseReason,
): Promise<PausedSandbox> {
  const { record, folder, vm } = live
  const undo = new UndoStack()
  const number = record.generation + 1
  let paused: RecordIn<'saved'>
  try {
    live.envd.close(new AppError('invalid_state', `sandbox ${record.id} was paused`))
    undo.defer('guest', () => continueGuest(parts, live))
    await quiesce(parts, live)
    await vm.stop()
    await save(parts, live, { number, undo })
    const { memory } = record.state
    const savedBy = { ...parts.driver.savedBy, version: vm.version }
    paused = changed(record, {
      kind: 'saved',
      number,
      memory,
      delta: true,
      savedBy,
      resumeAtStart,
      ...(reason === undefined ? {} : { reason }),
      ...(snapshot === undefined ? {} : { snapshot }),
    })
    await parts.storage.writeRecord(folder, paused)
    undo.keep()
  } catch (cause) {
    await undoAll(parts, undo, record.id)
    throw pauseError(cause)
  }
  await giveUpVm(parts, live)
  return { record: paused, folder }
}

/** The sandbox is paused, whatever happens here: what is left is removed when the next agent starts. */
async function giveUpVm(parts: Parts, { record, folder, slot, vm }: LiveSandbox): Promise<void> {
  const failed = (err: unknown): void =>
    parts.log.error({ op: 'sandbox.pause', outcome: 'not all released', sandboxId: record.id, err })
  try {
    await vm.kill()
    // Removing a network namespace takes longer than all the rest, and nothing waits for it.
    parts.network.release(slot).catch(failed)
    await parts.cgroups.remove(basename(folder))
    await parts.storage.takeBack(folder)
  } catch (err) {
    failed(err)
  }
}

/** Memory and devices beside the disk, all durable. */
async function save(
  parts: Parts,
  { record, folder, vm }: LiveSandbox,
  { number, undo }: { number: number; undo: UndoStack },
): Promise<void> {
  const { deviceState, delta } = savedFiles(folder, number)
  const files = vmFiles(folder)
  const written = join(files.vm, 'device-state')
  undo.defer('saved files', () => parts.storage.removeFiles([deviceState, delta, written]))
  await vm.saveDevices(written)
  await rename(written, deviceState)
  await Promise.all([
    parts.storage.saveDirtyPages({ pid: vm.process.pid, memoryMib: record.memoryMib, target: delta }),
    syncFile(deviceState),
    syncFile(files.disk),
  ])
}

/** Closes envd's connections and freezes the disk. By a client of its own: the sandbox's is closed. */
async function quiesce(parts: Parts, { record, vm, slot }: LiveSandbox): Promise<void> {
  const envd = connect(parts, vm, slot, record.token)
  try {
    await envd.quiesce({ timeoutMs: quiesceMs, freeze: true })
  } finally {
    envd.close(new AppError('agent_error', 'the sandbox is paused'))
  }
}

/** Also of a VM that an agent left in the middle of a pause. Each step may find its work done already. */
export async function continueGuest(parts: Parts, live: LiveSandbox): Promise<void> {
  await live.vm.run()
  live.envd = connect(parts, live.vm, live.slot, live.record.token)
  await live.envd.thaw()
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function pauseError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause
  const full =
    isErrno(cause, 'ENOSPC', 'EDQUOT') ||
    (cause instanceof CommandError && /no space left|disk quota/i.test(cause.stderr))
  return full
    ? new AppError('no_capacity', 'The disk of this host has no room to pause the sandbox', { cause })
    : new AppError('agent_error', `the sandbox could not be paused, it runs on: ${errorText(cause)}`, {
        cause,
      })
}
