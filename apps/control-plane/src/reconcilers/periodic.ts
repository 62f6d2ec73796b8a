// Runs a task again and again: every interval, and at once when nudged; never twice at the same time. A failure is
// logged when it begins and when it ends, not on every turn.
import { errorText, type Logger } from '@wrenn/base'

export class Periodic {
  readonly #op: string
  readonly #task: () => Promise<void>
  readonly #options: { intervalMs: number; logger: Logger }
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #again = false
  #stopped = false
  #failing = false

  constructor(op: string, task: () => Promise<void>, options: { intervalMs: number; logger: Logger }) {
    this.#op = op
    this.#task = task
    this.#options = options
  }

  /** Runs now, or once more when it is running already. Never rejects; settles when that run has ended. */
  nudge(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    if (this.#running) this.#again = true
    this.#running ??= this.#run()
    return this.#running
  }

  /** No run begins after this; returns when the one that runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer)
    do {
      this.#again = false
      await this.#once()
    } while (this.#again && !this.#stopped)
    this.#running = undefined
    if (!this.#stopped) this.#timer = setTimeout(() => void this.nudge(), this.#options.intervalMs)
  }

  async #once(): Promise<void> {
    const { logger } = this.#options
    try {
      await this.#task()
      if (this.#failing) logger.info({ op: this.#op, outcome: 'works again' })
      this.#failing = false
    } catch (error) {
      if (!this.#failing) logger.warn({ op: this.#op, outcome: 'failed', reason: errorText(error) })
      this.#failing = true
    }
  }
}
