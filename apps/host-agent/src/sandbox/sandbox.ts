// One sandbox in this agent's memory, and how one is made: every step registers its undo, so that a create that fails or
// is cut short leaves nothing behind.
import { join } from 'node:path'
import { AppError, timed, together, UndoStack, type SandboxId } from '@wrenn/base'
import type { Envd } from '../guest/envd.ts'
import type { Slot } from '../network/slot.ts'
import type { Vm } from '../vmm/driver.ts'
import type { Golden, GoldenSpec } from './golden.ts'
import type { Goldens } from './goldens.ts'
import { freshIdentity } from './identity.ts'
import type { Parts } from './parts.ts'
import type { SandboxRecord } from './record.ts'

/** Twenty at once on two emulated cores take their time. */
const guestTimeoutMs = 60_000

export type SandboxSpec = GoldenSpec & { id: SandboxId }

/** A sandbox that has a VM. */
export interface LiveSandbox {
  record: SandboxRecord
  folder: string
  slot: Slot
  vm: Vm
  envd: Envd
}

export async function makeSandbox(
  parts: Parts,
  goldens: Goldens,
  spec: SandboxSpec,
  signal: AbortSignal,
): Promise<LiveSandbox> {
  const undo = new UndoStack()
  try {
    const live = await goldens.use(
      spec,
      (golden) =>
        parts.lanes.run(async () => {
          const begun = await timed('restore', () => restore(spec, golden, { parts, undo, signal }))
          return await timed('guest', () => letRun(spec, begun, { parts, golden, signal }))
        }, signal),
      signal,
    )
    undo.keep()
    return live
  } finally {
    for (const { name, error } of await undo.undoAll())
      parts.log.error({ op: 'sandbox.undo', step: name, outcome: 'failed', sandboxId: spec.id, err: error })
  }
}

type Restored = Omit<LiveSandbox, 'record'>

/** Slot, folder and a VM that does not run yet. */
async function restore(
  spec: SandboxSpec,
  golden: Golden,
  { parts, undo, signal }: { parts: Parts; undo: UndoStack; signal: AbortSignal },
): Promise<Restored> {
  const { network, storage, driver, cgroups } = parts
  const folder = join(parts.folders.sandboxes, spec.id)
  signal.throwIfAborted()
  const slot = await undo.acquire('slot', network.take(), (taken) => network.release(taken))
  undo.defer('folder', () => storage.removeFolder(folder))
  await storage.makeFolder(folder, slot.uid)
  await storage.cloneDisk(golden.disk, folder, slot.uid)
  undo.defer('cgroup', () => cgroups.remove(spec.id))
  const cgroup = await cgroups.make(spec.id, spec)
  const place = { slot, folder, cgroup }
  const { machine, saved } = golden
  const vm = await undo.acquire('vm', driver.resume({ place, machine, saved, signal }), (made) => made.kill())
  const envd = parts.connectGuest(slot.hostIp, golden.token)
  undo.defer('envd', () => envd.close(new AppError('agent_error', 'the sandbox was not made')))
  void vm.exited.then(() => envd.close(new AppError('agent_error', "the sandbox's VM has ended")))
  return { folder, slot, vm, envd }
}

/** Returns when a command sent to the guest runs. */
async function letRun(
  spec: SandboxSpec,
  restored: Restored,
  { parts, golden, signal }: { parts: Parts; golden: Golden; signal: AbortSignal },
): Promise<LiveSandbox> {
  const { folder, slot, vm, envd } = restored
  const identity = freshIdentity(spec.id)
  const record: SandboxRecord = {
    version: 1,
    ...spec,
    golden: golden.key,
    slot: slot.index,
    token: identity.accessToken,
    process: vm.process,
    startedAt: new Date().toISOString(),
  }
  await together(
    [
      () => vm.run(),
      (either) => envd.init(identity, { timeoutMs: guestTimeoutMs, signal: either }),
      () => parts.storage.writeRecord(folder, record),
    ],
    signal,
  )
  signal.throwIfAborted()
  return { record, ...restored }
}

/** Ends the VM and removes everything of it. Each step may find its work done already. */
export async function removeSandbox(
  parts: Parts,
  { record, folder, slot, vm, envd }: LiveSandbox,
): Promise<void> {
  envd.close(new AppError('not_found', `sandbox ${record.id} was destroyed`))
  await vm.kill()
  await parts.cgroups.remove(record.id)
  await parts.network.release(slot)
  await parts.storage.removeFolder(folder)
}
