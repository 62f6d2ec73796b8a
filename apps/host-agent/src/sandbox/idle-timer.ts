// When a sandbox has been idle for long enough. Whatever is open is activity for as long as it is open; the time counts
// from its end.

/** setTimeout's longest, about 24 days. */
const longestMs = 2 ** 31 - 1

export class IdleTimer {
  readonly #timeoutMs: number
  readonly #onIdle: () => void
  #open = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  /** `timeoutSec` 0: never. Begins at once. */
  constructor(timeoutSec: number, onIdle: () => void) {
    this.#timeoutMs = timeoutSec * 1000
    this.#onIdle = onIdle
    this.touch()
  }

  /** Something is open until the function that comes back is called. */
  begin(): () => void {
    this.#open += 1
    clearTimeout(this.#timer)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      this.#open -= 1
      this.touch()
    }
  }

  /** The time begins anew. */
  touch(): void {
    clearTimeout(this.#timer)
    if (!this.#stopped && this.#open === 0 && this.#timeoutMs > 0) this.#wait(this.#timeoutMs)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #wait(leftMs: number): void {
    const nowMs = Math.min(leftMs, longestMs)
    const later = (): void => (leftMs > nowMs ? this.#wait(leftMs - nowMs) : this.#onIdle())
    this.#timer = setTimeout(later, nowMs).unref()
  }
}
