// At most so many pieces of work at once; the others wait in line. Twenty VMs that resume side by side on two cores are
// all ready only at the very end, a few at a time are ready one after the other.
import { unlessAborted } from './deadline.ts'

export class Limiter {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  /** Throws the signal's reason when that aborts before it is the work's turn; the work itself is not cut short. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await this.#turn(signal)
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  /** The place goes to the next in line, so that nobody who comes now gets ahead. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free += 1
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const turn = Promise.withResolvers<void>()
    this.#waiting.push(turn.resolve)
    try {
      await unlessAborted(turn.promise, signal)
    } catch (error) {
      const place = this.#waiting.indexOf(turn.resolve)
      // Its turn may have come in the same moment: then it goes to the next.
      if (place >= 0) this.#waiting.splice(place, 1)
      else this.#leave()
      throw error
    }
  }
}
