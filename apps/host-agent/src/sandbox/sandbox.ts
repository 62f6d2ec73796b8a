// One sandbox in this agent's memory, and how one is made: every step registers its undo, so that a create that fails or
// is cut short leaves nothing behind.
import { basename, join } from 'node:path'
import { AppError, timed, together, UndoStack, type SandboxId } from '@wrenn/base'
import type { Envd } from '../guest/envd.ts'
import type { Slot } from '../network/slot.ts'
import type { Vm, VmPlace } from '../vmm/driver.ts'
import { bootTimeoutMs, endConsole, loadOrBoot, tryBoots, withGuest, withVmm } from './boot.ts'
import type { GoldenSpec } from './golden.ts'
import { freshIdentity } from './identity.ts'
import type { Parts } from './parts.ts'
import type { RecordIn, SandboxRecord } from './record.ts'
import type { SavedTemplate } from './saved-template.ts'

/** Twenty at once on two emulated cores take their time. */
export const guestTimeoutMs = 60_000

export type SandboxSpec = GoldenSpec & {
  id: SandboxId
  /** The snapshot template to start from; undefined: the base template. */
  snapshot?: string | undefined
  /** 0: never. */
  timeoutSec: number
  onTimeout: 'pause' | 'destroy'
}

/** A sandbox on disk. */
export interface StoredSandbox<Record extends SandboxRecord = SandboxRecord> {
  record: Record
  folder: string
}

/** A VM that belongs to no sandbox yet, or to one. */
export interface GuestVm {
  folder: string
  slot: Slot
  vm: Vm
  envd: Envd
}

/** A sandbox that has a VM. */
export type LiveSandbox = StoredSandbox<RecordIn<'live'>> & GuestVm

/** Runs `work` with the template that a sandbox is made from; it is not deleted meanwhile. */
export type UseTemplate = <T>(
  spec: SandboxSpec,
  work: (template: SavedTemplate) => Promise<T>,
  signal: AbortSignal,
) => Promise<T>

/** VMs that wait for a sandbox. Whoever takes one has it, or gives it back when it is of no use. */
export interface ReadyVms {
  take: (key: string) => GuestVm | undefined
  giveBack: (vm: GuestVm) => Promise<void>
}

export async function makeSandbox(
  parts: Parts,
  spec: SandboxSpec,
  { use, pool, signal }: { use: UseTemplate; pool: ReadyVms; signal: AbortSignal },
): Promise<LiveSandbox> {
  const undo = new UndoStack()
  const make = async (template: SavedTemplate): Promise<LiveSandbox> => {
    const begin = (vm: GuestVm, reason?: string): Promise<LiveSandbox> =>
      timed('guest', () => letRun(spec, vm, { parts, template, reason, signal }))
    const ready = pool.take(template.key)
    if (ready) {
      try {
        return await begin(ready)
      } catch (err) {
        await pool.giveBack(ready)
        signal.throwIfAborted()
        parts.log.warn({ op: 'pool.take', outcome: 'failed', sandboxId: spec.id, err })
      }
    }
    const folder = join(parts.folders.sandboxes, spec.id)
    const attempt = async (makeVm: MakeVm, reason?: string): Promise<LiveSandbox> => {
      try {
        return await begin(
          await timed('restore', () => makeVm(template, folder, { parts, undo, signal })),
          reason,
        )
      } catch (error) {
        await undoAll(parts, undo, spec.id)
        throw error
      }
    }
    const load = (): Promise<LiveSandbox> => attempt(restore)
    const boot = (reason: string): Promise<LiveSandbox> =>
      tryBoots(() => attempt(bootDisk, reason), { what: 'the disk of the snapshot', signal, log: parts.log })
    // Goldens are made for this VMM. A snapshot may be of another, and its files are worth more than nothing.
    const isOurs = spec.snapshot === undefined
    const work = isOurs ? load : () => loadOrBoot(parts, template.savedBy, { load, boot, signal })
    return await parts.lanes.run(work, signal)
  }
  try {
    const live = await use(spec, make, signal)
    undo.keep()
    return live
  } finally {
    await undoAll(parts, undo, spec.id)
  }
}

interface Making {
  parts: Parts
  undo: UndoStack
  signal: AbortSignal
}

type MakeVm = (template: SavedTemplate, folder: string, making: Making) => Promise<GuestVm>

/** Slot, folder and a VM whose vcpus stand. */
export const restore: MakeVm = async (template, folder, making) => {
  const { parts, undo, signal } = making
  const { machine, saved } = template
  const place = await makePlace(template, folder, making)
  await parts.storage.linkBase(saved.memory.path, folder)
  const resume = withVmm(
    'what was saved does not load',
    folder,
    parts.driver.resume({ place, machine, saved, signal }),
  )
  const vm = await undo.acquire('vm', resume, (made) => made.kill())
  return guestOf(place, vm, { ...making, token: template.token })
}

/** As `restore`, with nothing but the template's disk: the guest boots. */
const bootDisk: MakeVm = async (template, folder, making) => {
  const { parts, undo, signal } = making
  const { machine } = template
  const place = await makePlace(template, folder, making)
  const path = await parts.storage.blankMemory(folder, place.slot.uid, machine.memoryMib)
  const { kernel, initramfs } = parts.images.boot
  const boot = withVmm(
    'its VM does not start',
    folder,
    parts.driver.boot({ place, machine, kernel, initramfs, memory: { path, keep: false }, signal }),
  )
  const vm = await undo.acquire('vm', boot, (made) => made.kill())
  return guestOf(place, vm, { ...making, token: '' })
}

/** Slot, folder with the template's disk, cgroup. */
async function makePlace(
  { machine, disk }: SavedTemplate,
  folder: string,
  { parts, undo, signal }: Making,
): Promise<VmPlace> {
  const { network, storage, cgroups } = parts
  signal.throwIfAborted()
  const slot = await undo.acquire('slot', network.take(), (taken) => network.release(taken))
  undo.defer('folder', () => storage.removeFolder(folder))
  await storage.makeFolder(folder, slot.uid)
  await storage.cloneDisk(disk, folder, slot.uid)
  const name = basename(folder)
  undo.defer('cgroup', () => cgroups.remove(name))
  return { slot, folder, cgroup: await cgroups.make(name, machine) }
}

function guestOf(
  { slot, folder }: VmPlace,
  vm: Vm,
  { parts, undo, token }: Making & { token: string },
): GuestVm {
  const envd = connect(parts, vm, slot, token)
  undo.defer('envd', () => envd.close(new AppError('agent_error', 'the sandbox was not made')))
  return { folder, slot, vm, envd }
}

/** A client of the guest's envd that fails when the VM ends. */
export function connect(parts: Parts, vm: Vm, slot: Slot, token: string): Envd {
  const envd = parts.connectGuest(slot.hostIp, token)
  void vm.exited.then(() => envd.close(new AppError('agent_error', "the sandbox's VM has ended")))
  return envd
}

interface Beginning {
  parts: Parts
  template: SavedTemplate
  /** Why the VM was booted from the template's disk, when it was. */
  reason: string | undefined
  signal: AbortSignal
}

/** Makes the VM this sandbox. Returns when a command sent to the guest runs. */
async function letRun(
  spec: SandboxSpec,
  made: GuestVm,
  { parts, template, reason, signal }: Beginning,
): Promise<LiveSandbox> {
  const { folder, slot, vm, envd } = made
  const identity = freshIdentity(spec.id)
  const { id, snapshot, timeoutSec, onTimeout } = spec
  const { machine } = template
  const record: RecordIn<'live'> = {
    version: 2,
    id,
    template: template.template,
    ...(snapshot === undefined ? {} : { snapshot }),
    rootfs: basename(machine.rootfs),
    vcpus: machine.vcpus,
    memoryMib: machine.memoryMib,
    timeoutSec,
    onTimeout,
    generation: 1,
    token: identity.accessToken,
    machineId: identity.machineId,
    state: {
      kind: 'live',
      memory: reason === undefined ? 'base' : 'own',
      slot: slot.index,
      process: vm.process,
      startedAt: new Date().toISOString(),
      ...(reason === undefined
        ? {}
        : { reason: `Its disk was booted, without what ran in the snapshot: ${reason}` }),
    },
  }
  const timeoutMs = reason === undefined ? guestTimeoutMs : bootTimeoutMs
  let commit: (() => Promise<void>) | undefined
  await together(
    [
      () => withGuest('its VM does not run', folder, vm.run()),
      (either) => {
        const ready = envd.init(identity, { timeoutMs, thaw: true, signal: either })
        return withGuest('its guest does not answer', folder, ready)
      },
      async () => {
        commit = await parts.storage.stageRecord(folder, record)
      },
    ],
    signal,
  )
  if (reason !== undefined) await endConsole(folder, vm)
  signal.throwIfAborted()
  // Only now: an agent that finds the record can talk to the guest with its token.
  await commit?.()
  return { record, ...made }
}

/** Ends the VM and gives back what it ran on. Each step may find its work done already. */
export async function releaseVm(parts: Parts, { folder, slot, vm }: Omit<GuestVm, 'envd'>): Promise<void> {
  await vm.kill()
  await parts.cgroups.remove(basename(folder))
  await parts.network.release(slot)
}

/** Ends a VM and removes everything of it. `why` is told to those that still talk to it. */
export async function discardVm(
  parts: Parts,
  vm: GuestVm,
  why = new AppError('agent_error', 'the VM was given up'),
): Promise<void> {
  vm.envd.close(why)
  await releaseVm(parts, vm)
  await parts.storage.removeFolder(vm.folder)
}

export async function undoAll(parts: Parts, undo: UndoStack, sandboxId: SandboxId): Promise<void> {
  for (const { name, error } of await undo.undoAll())
    parts.log.error({ op: 'sandbox.undo', step: name, outcome: 'failed', sandboxId, err: error })
}
