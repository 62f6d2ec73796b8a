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

export class MemoryMapper {
  readonly #hostkit: string
  readonly #readOnlyFiles: boolean
  readonly #sealed = new Map<string, Promise<number>>()

  constructor(hostkit: string, readOnlyFiles: boolean) {
    this.#hostkit = hostkit
    this.#readOnlyFiles = readOnlyFiles
  }

  async map(saved: SavedMemory): Promise<MappedMemory> {
    if (saved.kind === 'own') return { path: saved.path, options: 'share=off', fd: undefined }
    if (this.#readOnlyFiles && !saved.secret)
      return { path: saved.path, options: 'share=off,readonly=on,rom=off', fd: undefined }
    let sealed = this.#sealed.get(saved.key)
    if (!sealed) {
      sealed = sealedCopy(this.#hostkit, saved.path)
      this.#sealed.set(saved.key, sealed)
      sealed.catch(() => this.#sealed.delete(saved.key))
    }
    return { path: `/proc/self/fd/${memoryFd}`, options: 'share=off', fd: await sealed }
  }

  /** VMs that map the memory keep it; it is freed with the last of them. */
  forget(key: string): void {
    const sealed = this.#sealed.get(key)
    this.#sealed.delete(key)
    sealed?.then(closeSync, () => undefined)
  }
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
