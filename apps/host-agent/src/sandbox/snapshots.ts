// The snapshot templates of this host. One that is deleted is gone for creates at once, and from disk when the last
// create that reads it has ended; sandboxes made from it hold what they need by links of their own.
import { link, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, readFileIfThere } from '@wrenn/base'
import { savedFiles, vmFiles } from '../storage/layout.ts'
import type { Parts } from './parts.ts'
import type { PausedSandbox } from './pause.ts'
import {
  isBeingMade,
  loadTemplate,
  makeTemplate,
  templateFiles,
  type SavedTemplate,
} from './saved-template.ts'

export interface Snapshot {
  template: SavedTemplate
  /** What it occupies on disk. */
  sizeBytes: number
}

interface Entry extends Snapshot {
  /** Creates that read it right now. */
  users: number
  deleted: boolean
}

export class Snapshots {
  readonly #parts: Parts
  readonly #entries = new Map<string, Entry>()
  /** Keys of those that are there and cannot be used: of a newer version, or damaged. */
  readonly #unreadable = new Set<string>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Must come before any sandbox is resumed: what a broken-off snapshot has linked is unlinked here. */
  async open(): Promise<void> {
    const { log, folders } = this.#parts
    const { snapshots } = folders
    await mkdir(snapshots, { recursive: true, mode: 0o711 })
    this.#unreadable.clear()
    for (const key of await readdir(snapshots)) {
      const folder = join(snapshots, key)
      const isWhole =
        !isBeingMade(folder) && (await readFileIfThere(templateFiles(folder).manifest)) !== undefined
      if (!isWhole) await rm(folder, { recursive: true, force: true })
      else if (!(await this.#load(key))) {
        this.#unreadable.add(key)
        log.error({ op: 'snapshots.open', outcome: 'snapshot not readable', folder })
      }
    }
  }

  /** Folders that are left as they are. */
  get unreadable(): string[] {
    return [...this.#unreadable].map((key) => join(this.#parts.folders.snapshots, key))
  }

  /** Also when it cannot be read. */
  has(key: string): boolean {
    return this.#entries.has(key) || this.#unreadable.has(key)
  }

  list(): Snapshot[] {
    return [...this.#entries.values()]
  }

  find(key: string): Snapshot | undefined {
    return this.#entries.get(key)
  }

  /** Runs `work` with the template; its files are there for as long as that takes. Throws `not_found`. */
  async use<T>(key: string, work: (template: SavedTemplate) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(key)
    if (!entry) throw new AppError('not_found', `there is no snapshot ${key} on this host`)
    entry.users += 1
    try {
      return await work(entry.template)
    } finally {
      entry.users -= 1
      if (entry.deleted && entry.users === 0) await this.#remove(key)
    }
  }

  /** Makes a template of a sandbox whose memory is in one file. Its files are the template's too, from then on. */
  async add(key: string, { record, folder }: PausedSandbox): Promise<Snapshot> {
    const { memory, disk } = vmFiles(folder)
    const { deviceState } = savedFiles(folder, record.state.number)
    const { template, vcpus, memoryMib, rootfs, token } = record
    await makeTemplate(this.#parts, join(this.#parts.folders.snapshots, key), {
      from: { memory, deviceState, disk },
      content: { template, vcpus, memoryMib, rootfs, token, savedBy: record.state.savedBy },
      readable: false,
      place: link,
    })
    const snapshot = await this.#load(key)
    if (!snapshot) throw new Error('the snapshot is gone right after it was made')
    return snapshot
  }

  /** Nothing can be made from it any more. Also when there is none. */
  async delete(key: string): Promise<void> {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    entry.deleted = true
    if (entry.users === 0) await this.#remove(key)
  }

  async #load(key: string): Promise<Snapshot | undefined> {
    const folder = join(this.#parts.folders.snapshots, key)
    const template = await loadTemplate(this.#parts, folder, { secret: true })
    if (!template) return undefined
    const entry = { template, sizeBytes: await occupied(folder), users: 0, deleted: false }
    this.#entries.set(key, entry)
    return entry
  }

  async #remove(key: string): Promise<void> {
    this.#parts.driver.forget(key)
    const folder = join(this.#parts.folders.snapshots, key)
    // First: what has one is whole.
    await rm(templateFiles(folder).manifest, { force: true })
    await rm(folder, { recursive: true, force: true })
  }
}

/** stat(2): blocks of 512 bytes, whatever the filesystem's. */
async function occupied(folder: string): Promise<number> {
  const stats = await Promise.all(Object.values(templateFiles(folder)).map((file) => stat(file)))
  return stats.reduce((sum, { blocks }) => sum + blocks * 512, 0)
}
