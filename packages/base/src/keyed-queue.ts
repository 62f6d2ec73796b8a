// One queue per key: work on the same key runs one after the other, in order; different keys run side by side.

export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Runs `work` once everything queued earlier under `key` has settled. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const previous = this.#tails.get(key) ?? Promise.resolve()
    const current = previous.then(work, work)
    this.#tails.set(key, current)
    try {
      return await current
    } finally {
      if (this.#tails.get(key) === current) this.#tails.delete(key)
    }
  }

  /** Returns when everything queued so far has settled. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#tails.values())
  }
}
