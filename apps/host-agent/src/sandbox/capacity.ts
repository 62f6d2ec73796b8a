// Whether this machine can take one more VM. Memory is counted twice: as promised (guests rarely use all of theirs, so it
// is divided by an overcommit factor), and as really free now; disk against a reserve that pauses need.
import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { AppError, KIB, MIB } from '@wrenn/base'

export interface CapacityLimits {
  /** So many times its memory may be promised. */
  memoryOvercommit: number
  /** Stays free on the machine, in MiB. */
  memoryReserveMib: number
  /** Stays free on the data folder's filesystem, in MiB. */
  diskReserveMib: number
}

export interface CapacityReport extends CapacityLimits {
  memoryPromisedMib: number
  memoryAvailableMib: number
  diskFreeMib: number
}

/** As much as anyone asks for. */
export const unlimited: CapacityLimits = {
  memoryOvercommit: Number.MAX_SAFE_INTEGER,
  memoryReserveMib: 0,
  diskReserveMib: 0,
}

/** When to try again; memory comes free when a sandbox ends, which nobody can foresee. */
const retryAfterSec = 30

export class Capacity {
  readonly #folder: string
  readonly #limits: CapacityLimits

  constructor(folder: string, limits: CapacityLimits) {
    this.#folder = folder
    this.#limits = limits
  }

  async report(memoryPromisedMib: number): Promise<CapacityReport> {
    const { bavail, bsize } = await statfs(this.#folder)
    return {
      ...this.#limits,
      memoryPromisedMib,
      memoryAvailableMib: memoryAvailableMib(),
      diskFreeMib: Math.floor((bavail * bsize) / MIB),
    }
  }

  /** Throws `no_capacity` when a VM of `memoryMib` more does not fit beside the `promisedMib` of all others. */
  async admit(memoryMib: number, promisedMib: number): Promise<void> {
    const now = await this.report(promisedMib)
    const promise = (promisedMib + memoryMib) / now.memoryOvercommit
    const lacking =
      promise > totalmem() / MIB
        ? `${promisedMib} MiB of memory are promised to the sandboxes that run`
        : now.memoryAvailableMib - memoryMib / now.memoryOvercommit < now.memoryReserveMib
          ? `${now.memoryAvailableMib} MiB of memory are free, and ${now.memoryReserveMib} must stay`
          : now.diskFreeMib < now.diskReserveMib
            ? `${now.diskFreeMib} MiB of disk are free, and ${now.diskReserveMib} must stay`
            : undefined
    if (lacking === undefined) return
    throw new AppError('no_capacity', `This host has no room for ${memoryMib} MiB more: ${lacking}`, {
      retryAfterSec,
    })
  }
}

/** Free, or used by caches that can be given up. Source: the kernel's Documentation/filesystems/proc.rst. */
function memoryAvailableMib(): number {
  const kib = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
  if (kib === undefined) throw new Error('/proc/meminfo has no MemAvailable')
  return Math.floor((Number(kib) * KIB) / MIB)
}
