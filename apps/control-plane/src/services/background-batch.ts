// Small writes that no request waits for ("this sandbox was active"), joined: while one write runs, ids gather for the
// next. Idle, a write starts at once; under load it stays one write at a time. A failed write is logged and lost.
import { errorText, type Logger } from '@wrenn/base'

export class BackgroundBatch<Id extends string> {
  readonly #op: string
  readonly #write: (ids: readonly Id[]) => Promise<void>
  readonly #logger: Logger
  #waiting = new Set<Id>()
  #running: Promise<void> | undefined

  constructor(op: string, write: (ids: readonly Id[]) => Promise<void>, logger: Logger) {
    this.#op = op
    this.#write = write
    this.#logger = logger
  }

  add(id: Id): void {
    this.#waiting.add(id)
    this.#running ??= this.#run()
  }

  /** Returns when everything added so far is written or lost. */
  async flushed(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const ids = [...this.#waiting]
      this.#waiting = new Set()
      try {
        await this.#write(ids)
      } catch (error) {
        this.#logger.warn({ op: this.#op, outcome: 'lost', count: ids.length, reason: errorText(error) })
      }
    }
    this.#running = undefined
  }
}
