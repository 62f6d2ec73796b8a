// Where saved memory does not load, the disk is booted: files are kept, processes are not, and the sandbox's state says so.
// A boot may hang in the guest's kernel, so each has a deadline and is tried three times.
import { readFile, rm } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'
import { AppError, type Logger } from '@wrenn/base'
import { vmFiles } from '../storage/layout.ts'
import { VmmRefused, type SavedBy, type Vm, type VmmDriver } from '../vmm/driver.ts'

/** A boot takes 4 to 7 s under emulation on an idle machine. */
export const bootTimeoutMs = 45_000
const bootAttempts = 3

/**
 * The VMM does not take what was saved, or the guest does not answer: trying again elsewhere does not help, as it does
 * when the host has no slot, memory or disk.
 */
export class GuestNotUp extends Error {}

/** A step that fails with the guest. The message is for the caller, with the console's last lines; the cause is not. */
export async function withGuest<T>(what: string, folder: string, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (cause) {
    if (cause instanceof AppError && hostIsShort(cause)) throw cause
    const console = await consoleTail(folder)
    const message = console === '' ? what : `${what}; its console: ${console}`
    throw new GuestNotUp(message, { cause })
  }
}

/** As `withGuest`, of a VM that starts: what fails before there is a VMM is the host's failure. */
export async function withVmm<T>(what: string, folder: string, start: Promise<T>): Promise<T> {
  try {
    return await start
  } catch (error) {
    if (!(error instanceof VmmRefused)) throw error
    return await withGuest(what, folder, Promise.reject(error))
  }
}

/** Each `boot` must give back all that it took when it fails. `what` boots, for message and log. */
export async function tryBoots<T>(
  boot: () => Promise<T>,
  { what, signal, log }: { what: string; signal: AbortSignal; log: Logger },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await boot()
    } catch (err) {
      signal.throwIfAborted()
      log.warn({ op: 'boot', outcome: 'failed', what, attempt, err })
      if (!(err instanceof GuestNotUp)) throw err
      if (attempt < bootAttempts) continue
      throw new GuestNotUp(`${what} did not boot in ${bootAttempts} attempts: ${err.message}`, { cause: err })
    }
  }
}

/** Loads what was saved by `savedBy`, or boots instead with the reason why it does not load here. */
export async function loadOrBoot<T>(
  { driver, log }: { driver: VmmDriver; log: Logger },
  savedBy: SavedBy,
  work: { load: () => Promise<T>; boot: (reason: string) => Promise<T>; signal: AbortSignal },
): Promise<T> {
  const loads = driver.loads(savedBy)
  if (loads === 'no') return await work.boot(difference(savedBy, driver.savedBy))
  try {
    return await work.load()
  } catch (err) {
    // By the same VMM it was loaded before: it is damaged, and may be mended.
    if (loads === 'yes' || work.signal.aborted || !(err instanceof GuestNotUp)) throw err
    log.warn({ op: 'sandbox.load', outcome: 'booting instead', savedBy, err })
    return await work.boot(`what version ${savedBy.version} saved does not load in ${driver.savedBy.version}`)
  }
}

/** It is for the boot: from then on a guest could fill the machine's disk with it. */
export async function endConsole(folder: string, vm: Vm): Promise<void> {
  await vm.dropConsole()
  await rm(vmFiles(folder).serial, { force: true })
}

function difference(savedBy: SavedBy, here: SavedBy): string {
  const names = { accelerator: 'accelerator', cpu: 'processor', machine: 'machine type' } as const
  const differs = (['accelerator', 'cpu', 'machine'] as const).find((name) => savedBy[name] !== here[name])
  if (!differs) return `what version ${savedBy.version} saved does not load in ${here.version}`
  return `it was saved with the ${names[differs]} ${savedBy[differs]}, and this host has ${here[differs]}`
}

function hostIsShort({ code }: AppError): boolean {
  return code === 'no_capacity' || code === 'unavailable'
}

/** Of a VM that was booted; resumed ones have none. */
async function consoleTail(folder: string): Promise<string> {
  const text = await readFile(vmFiles(folder).serial, 'utf8').catch(() => '')
  return stripVTControlCharacters(text)
    .trim()
    .split(/[\r\n]+/)
    .slice(-5)
    .join(' | ')
}
