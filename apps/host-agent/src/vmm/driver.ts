// What a virtual machine monitor must do for us. QEMU is the one implementation; Firecracker fits the same interface.
// Every action says when it is legal; anything else throws.
import type { ProcessRef } from '@wrenn/base'
import type { Slot } from '../network/slot.ts'

/** The machine that a guest sees, and all that a saved state depends on. Equal values mean exchangeable states. */
export interface MachineSpec {
  vcpus: number
  memoryMib: number
  /** Read-only root filesystem image. */
  rootfs: string
}

/**
 * Saved memory. `shared`: many VMs map it at once, and none may change it; `key` names its content, and the driver may
 * keep what it prepared from it under that name; `secret`: VMs of others must not be able to read it. `own`: one VM's
 * only, the file is its user's.
 */
export type SavedMemory =
  | { kind: 'shared'; key: string; path: string; secret: boolean }
  | { kind: 'own'; path: string }

/** A saved machine: memory and device state of one instant. */
export interface SavedMachine {
  memory: SavedMemory
  deviceState: string
}

/** What wrote a device state, and so what can load it. */
export interface SavedBy {
  machine: string
  accelerator: string
  cpu: string
  version: string
}

/** Where a VM runs: its slot, its own folder (`vm/` is the VMM's, the rest the agent's), its cgroup if any. */
export interface VmPlace {
  slot: Slot
  folder: string
  cgroup: string | undefined
}

export interface BootOptions {
  place: VmPlace
  machine: MachineSpec
  kernel: string
  initramfs: string
  /** Becomes the guest's memory. `keep`: what the guest writes is in the file; else only in the VM. */
  memory: { path: string; keep: boolean }
  signal?: AbortSignal
}

export interface ResumeOptions {
  place: VmPlace
  machine: MachineSpec
  saved: SavedMachine
  signal?: AbortSignal
}

/** The VMM ended, or does not answer: it does not take what it was given. Everything else is the host's failure. */
export class VmmRefused extends Error {}

export interface Vm {
  readonly process: ProcessRef
  /** Of the VMM that it runs in: one that was adopted may be older than the driver. */
  readonly version: string
  /** Settles when the VMM is gone, whatever ended it. */
  readonly exited: Promise<void>
  /** Lets the vcpus stand. Legal always. */
  stop: () => Promise<void>
  /** Writes the device state to a file in `vm/`. Legal while the vcpus stand. */
  saveDevices: (path: string) => Promise<void>
  /** Lets the vcpus run. Legal always; `resume` returns with them standing. */
  run: () => Promise<void>
  /** What the guest writes to its console goes nowhere from now on. Legal always. */
  dropConsole: () => Promise<void>
  /** Ends the VMM and returns when the process is gone. Legal always, also twice. */
  kill: () => Promise<void>
}

export interface VmmDriver {
  /** "qemu 7.2.22" */
  readonly version: string
  /** Changes whenever states saved by one may no longer load in the other. */
  readonly compatibility: string
  /** What stands beside the device states that this one saves. */
  readonly savedBy: SavedBy
  /** Whether a state loads here. `perhaps`: it should, but nobody tried these two versions. */
  loads: (savedBy: SavedBy) => 'yes' | 'perhaps' | 'no'
  /** Starts a new machine from kernel and initramfs; its vcpus run. */
  boot: (options: BootOptions) => Promise<Vm>
  /** Maps saved memory copy-on-write and loads the device state; the vcpus stand. */
  resume: (options: ResumeOptions) => Promise<Vm>
  /** Takes over a VM that another agent process started. Undefined when it is not running or does not answer. */
  adopt: (process: ProcessRef, folder: string) => Promise<Vm | undefined>
  /** Every VMM process whose folder lies under `root`, by folder: adopted or not. */
  list: (root: string) => Promise<{ process: ProcessRef; folder: string }[]>
  /** Forgets what was prepared for a saved machine that is deleted. */
  forget: (key: string) => void
}
