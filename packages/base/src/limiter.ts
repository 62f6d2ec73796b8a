// At most so many pieces of work at once; the others wait in line. Twenty VMs that resume side by side on two cores are
// all ready only at the very end, a few at a time are ready one after the other.

export class Limiter {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // The place goes to the next in line, so that nobody who comes now gets ahead.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }
}
