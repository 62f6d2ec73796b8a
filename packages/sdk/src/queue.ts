// Messages between a socket, which cannot wait, and a loop, which can. Bounded: who fills it is told to pause, and when
// that is not possible, they end it with `fail` instead of letting it grow.

export class Queue<T> {
  readonly #items: { value: T; size: number }[] = []
  readonly #limit: number
  readonly #onFull: () => void
  readonly #onEmpty: () => void
  #size = 0
  #end: { error: unknown } | 'ended' | undefined
  #wake: (() => void) | undefined

  /** `limit` is in what `size` counts in. `onFull` is called for each item above it, `onEmpty` when all were taken. */
  constructor(limit: number, { onFull, onEmpty }: { onFull: () => void; onEmpty: () => void }) {
    this.#limit = limit
    this.#onFull = onFull
    this.#onEmpty = onEmpty
  }

  push(value: T, size: number): void {
    if (this.#end) return
    this.#items.push({ value, size })
    this.#size += size
    if (this.#size > this.#limit) this.#onFull()
    this.#wake?.()
  }

  /** What is there can still be taken. */
  end(): void {
    this.#finish('ended')
  }

  /** What is there can still be taken; then this is thrown. */
  fail(error: unknown): void {
    this.#finish({ error })
  }

  /** As `fail`, and what is there is dropped. */
  abandon(error: unknown): void {
    this.#items.length = 0
    this.fail(error)
  }

  async *take(): AsyncGenerator<T> {
    for (;;) {
      const item = this.#items.shift()
      if (item) {
        this.#size -= item.size
        if (this.#items.length === 0) this.#onEmpty()
        yield item.value
      } else if (this.#end === 'ended') return
      else if (this.#end) throw this.#end.error
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #finish(end: { error: unknown } | 'ended'): void {
    this.#end ??= end
    this.#wake?.()
  }
}
