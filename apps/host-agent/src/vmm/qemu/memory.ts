// How a VMM maps saved memory copy-on-write without being able to change it for the others. QEMU 8.2 and newer open the
// file read-only (`readonly=on,rom=off`). Older ones insist on opening it for writing, and what is secret nobody may open
// by its path: these get a memfd that is sealed against writes, made once and shared by all VMs resumed from it. Memory
// that is one VM's own is simply its user's file.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { withDeadline } from '@wrenn/base'
import type { SavedMemory } from '../driver.ts'
import { memoryFd } from './arguments.ts'

export interface MappedMemory {
  /** QEMU's memory-backend-file options after `mem-path=`. */
  path: string
  options: string
  /** To be inherited as descriptor `memoryFd`; undefined when the file itself is opened. */
  fd: number | undefined
}

/** Each takes as much memory as its guest has used. One that is needed again is sealed again, in 0.1 to 0.3 s. */
const maxSealed = 16

interface Sealed {
  fd: Promise<number>
  /** VMs that are just being started with it. */
  users: number
  /** To be closed with the last of them. */
  forgotten: boolean
}

export class MemoryMapper {
  readonly #hostkit: string
  readonly #readOnlyFiles: boolean
  /** In the order of last use, oldest first. */
  readonly #sealed = new Map<string, Sealed>()

  constructor(hostkit: string, readOnlyFiles: boolean) {
    this.#hostkit = hostkit
    this.#readOnlyFiles = readOnlyFiles
  }

  /** Starts a VM with the memory. A running VM that has mapped it keeps it, whatever becomes of it here. */
  async use<T>(saved: SavedMemory, start: (mapped: MappedMemory) => Promise<T>): Promise<T> {
    if (saved.kind === 'own') return await start({ path: saved.path, options: 'share=off', fd: undefined })
    if (this.#readOnlyFiles && !saved.secret)
      return await start({ path: saved.path, options: 'share=off,readonly=on,rom=off', fd: undefined })
    const sealed = this.#seal(saved)
    sealed.users += 1
    try {
      const fd = await sealed.fd
      return await start({ path: `/proc/self/fd/${memoryFd}`, options: 'share=off', fd })
    } finally {
      sealed.users -= 1
      if (sealed.forgotten) closeUnused(sealed)
      this.#forgetOverCap()
    }
  }

  forget(key: string): void {
    const sealed = this.#sealed.get(key)
    if (!sealed) return
    this.#sealed.delete(key)
    sealed.forgotten = true
    closeUnused(sealed)
  }

  #seal({ key, path }: { key: string; path: string }): Sealed {
    const sealed = this.#sealed.get(key) ?? {
      fd: sealedCopy(this.#hostkit, path),
      users: 0,
      forgotten: false,
    }
    this.#sealed.delete(key)
    this.#sealed.set(key, sealed)
    sealed.fd.catch(() => this.#sealed.delete(key))
    return sealed
  }

  #forgetOverCap(): void {
    for (const key of [...this.#sealed.keys()].slice(0, -maxSealed)) this.forget(key)
  }
}

function closeUnused({ fd, users }: Sealed): void {
  if (users === 0) fd.then(closeSync, () => undefined)
}

/** The helper makes and seals the copy; we open it through /proc while the helper still holds it. */
async function sealedCopy(hostkit: string, path: string): Promise<number> {
  const helper = spawn(hostkit, ['seal', path], { stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  helper.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  try {
    const number = await withDeadline(
      'sealing saved memory',
      60_000,
      new Promise<string>((resolve, reject) => {
        helper.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()))
        helper.once('error', reject)
        helper.once('close', (code) => reject(new Error(`hostkit seal ended with ${code}: ${errors.trim()}`)))
      }),
    )
    return openSync(`/proc/${helper.pid}/fd/${number}`, 'r+')
  } finally {
    helper.stdin.end()
  }
}
