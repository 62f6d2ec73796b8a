// The golden snapshots of this host: made on first use, one boot at a time for each, kept for all later creates. Over a
// cap the least recently used one that nobody is just resuming is dropped; those that a change of kernel, envd, template
// or VMM has outdated are dropped at start. VMs that live on need neither.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessAborted } from '@wrenn/base'
import { buildGolden, goldenKey, loadGolden, type GoldenSpec } from './golden.ts'
import type { Parts } from './parts.ts'
import type { SavedTemplate } from './saved-template.ts'

/** About 150 MB of disk each, and as much memory once used. */
const maxGoldens = 12

interface Entry {
  golden: Promise<SavedTemplate>
  /** Creates that are resuming it right now. */
  users: number
}

export class Goldens {
  readonly #parts: Parts
  /** By key, in the order of last use, oldest first. */
  readonly #entries = new Map<string, Entry>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async open(): Promise<void> {
    const { goldens } = this.#parts.folders
    await mkdir(goldens, { recursive: true, mode: 0o711 })
    for (const name of await readdir(goldens)) {
      const golden = await loadGolden(this.#parts, name)
      if (golden) this.#entries.set(name, { golden: Promise.resolve(golden), users: 0 })
      else await rm(join(goldens, name), { recursive: true, force: true })
    }
    await this.#dropOverCap()
  }

  /**
   * Runs `work` with the golden of these resources, made now if there is none; it is not dropped meanwhile. An abort ends
   * the waiting for a boot, not the boot: others may want it too.
   */
  async use<T>(
    spec: GoldenSpec,
    work: (golden: SavedTemplate) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const entry = this.#entry(spec)
    entry.users += 1
    try {
      return await work(await unlessAborted(entry.golden, signal))
    } finally {
      entry.users -= 1
    }
  }

  /** Makes sure that there is one; `built` is false when there was one already. */
  async prepare(spec: GoldenSpec): Promise<{ key: string; built: boolean }> {
    const built = !this.#entries.has(goldenKey(this.#parts, spec))
    return this.use(spec, async ({ key }) => ({ key, built }))
  }

  /** Returns when no boot is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#entries.values()].map(({ golden }) => golden))
  }

  #entry(spec: GoldenSpec): Entry {
    const key = goldenKey(this.#parts, spec)
    const entry = this.#entries.get(key) ?? { golden: this.#build(key, spec), users: 0 }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry
  }

  async #build(key: string, spec: GoldenSpec): Promise<SavedTemplate> {
    const started = performance.now()
    try {
      const golden = await buildGolden(this.#parts, spec)
      const durationMs = Math.round(performance.now() - started)
      this.#parts.log.info({ op: 'golden.build', outcome: 'ok', key, ...spec, durationMs })
      await this.#dropOverCap()
      return golden
    } catch (error) {
      this.#entries.delete(key)
      throw error
    }
  }

  async #dropOverCap(): Promise<void> {
    for (const [key, { users }] of this.#entries) {
      if (this.#entries.size <= maxGoldens) return
      if (users > 0) continue
      this.#entries.delete(key)
      this.#parts.driver.forget(key)
      await rm(join(this.#parts.folders.goldens, key), { recursive: true, force: true })
    }
  }
}
