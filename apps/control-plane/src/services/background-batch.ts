// Small writes that no request waits for ("this sandbox was active"), joined: the first one starts at once, then ids
// gather for a while and are written together. So a busy sandbox costs one write a second, not one for each command.
// A failed write is logged and lost.
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText, outsideRequests, type Logger } from '@wrenn/base'

const defaultRestMs = 1_000

export interface BackgroundBatchOptions<Id extends string> {
  op: string
  write: (ids: readonly Id[]) => Promise<void>
  logger: Logger
  /** Between the end of a write and the next. */
  restMs?: number
}

export class BackgroundBatch<Id extends string> {
  readonly #options: Required<BackgroundBatchOptions<Id>>
  #waiting = new Set<Id>()
  #running: Promise<void> | undefined
  #hurry = new AbortController()

  constructor(options: BackgroundBatchOptions<Id>) {
    this.#options = { restMs: defaultRestMs, ...options }
  }

  add(id: Id): void {
    this.#waiting.add(id)
    this.#running ??= outsideRequests(() => this.#run())
  }

  /** Returns when everything added so far is written or lost, without resting in between. */
  async flushed(): Promise<void> {
    this.#hurry.abort()
    await this.#running
    this.#hurry = new AbortController()
  }

  async #run(): Promise<void> {
    const { op, write, logger } = this.#options
    while (this.#waiting.size > 0) {
      const ids = [...this.#waiting]
      this.#waiting = new Set()
      try {
        await write(ids)
      } catch (error) {
        logger.warn({ op, outcome: 'lost', count: ids.length, reason: errorText(error) })
      }
      await this.#rest()
    }
    this.#running = undefined
  }

  /** Ids that come meanwhile wait. The process may end all the same: `flushed` comes before that. */
  async #rest(): Promise<void> {
    const { signal } = this.#hurry
    await sleep(this.#options.restMs, undefined, { ref: false, signal }).catch(() => undefined)
  }
}
