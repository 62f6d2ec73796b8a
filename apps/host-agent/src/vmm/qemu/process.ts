// A running QEMU: its process, its control socket, its end. Also finds QEMU processes by the folder they run in, which is
// how those that no state file knows are recognised as ours.
import { readdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { endProcess, isAlive, isErrno, pollUntil, processRef, type ProcessRef } from '@wrenn/base'
import type { Vm } from '../driver.ts'
import type { Qmp } from './qmp.ts'

/** How often a guest that stands because the machine's disk is full tries its write again. */
const diskFullRetryMs = 1_000

export class QemuVm implements Vm {
  readonly process: ProcessRef
  readonly exited: Promise<void>
  readonly version: string
  readonly #qmp: Qmp
  /** Its vcpus stand because somebody wants it so. */
  #standing = false

  constructor(process: ProcessRef, qmp: Qmp) {
    this.process = process
    this.#qmp = qmp
    this.version = qmp.version
    qmp.onDiskFull = () => void setTimeout(() => this.#tryAgain(), diskFullRetryMs).unref()
    // One that cannot be killed is gone all the same for those who use it; whoever destroys it is told.
    this.exited = qmp.closed.then(() => this.kill()).catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#standing = true
    await this.#qmp.execute('stop')
  }

  async saveDevices(path: string): Promise<void> {
    await this.#qmp.execute('xen-save-devices-state', { filename: path })
  }

  async run(): Promise<void> {
    this.#standing = false
    await this.#qmp.execute('cont')
  }

  /** QEMU stops the guest rather than fail its write (`werror=enospc`), and repeats the write when the guest goes on. */
  #tryAgain(): void {
    if (!this.#standing) this.#qmp.execute('cont').catch(() => undefined) // a VM that is gone has nothing to try
  }

  async dropConsole(): Promise<void> {
    // QEMU names the first `-serial` so.
    await this.#qmp.execute('chardev-change', { id: 'serial0', backend: { type: 'null', data: {} } })
  }

  async load(uri: string, signal?: AbortSignal): Promise<void> {
    await this.#qmp.execute('migrate-incoming', { uri })
    const loaded = await pollUntil(
      'QEMU loads the saved state',
      async () => {
        // It ends when it cannot.
        if (!isAlive(this.process)) return 'ended'
        const { status } = (await this.#qmp.execute('query-status')) as { status: string }
        return status === 'inmigrate' ? undefined : status
      },
      { timeoutMs: 30_000, intervalMs: 1, ...(signal ? { signal } : {}) },
    )
    if (loaded === 'ended') throw new Error('QEMU does not load the saved state')
  }

  async kill(): Promise<void> {
    await endProcess(this.process, 0)
    this.#qmp.close()
  }
}

const control = /unix:(.*)\/vm\/qmp\.sock,server=on/

/** Every process started with a control socket below `root`: QEMU, or hostkit about to become it. */
export async function qemuProcesses(root: string): Promise<{ process: ProcessRef; folder: string }[]> {
  const found: { process: ProcessRef; folder: string }[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const folder = control.exec(await commandLine(entry))?.[1]?.replaceAll(',,', ',')
    if (folder === undefined || dirname(folder) !== root) continue
    const process = processRef(Number(entry))
    if (process && isAlive(process)) found.push({ process, folder })
  }
  return found
}

async function commandLine(pid: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return ''
    throw error
  }
}
