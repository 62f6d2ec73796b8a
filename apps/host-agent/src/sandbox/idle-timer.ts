// When a sandbox has been idle for long enough. Whatever is open is activity for as long as it is open; the time counts
// from its end.

/** setTimeout's longest, about 24 days. */
const longestMs = 2 ** 31 - 1

export class IdleTimer {
  readonly #timeoutMs: number
  readonly #onIdle: () => void
  #open = 0
  #idleSince = performance.now()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  /** `timeoutSec` 0: never. Begins at once. */
  constructor(timeoutSec: number, onIdle: () => void) {
    this.#timeoutMs = timeoutSec * 1000
    this.#onIdle = onIdle
    this.#arm()
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
    this.#idleSince = performance.now()
    this.#arm()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#stopped || this.#open > 0 || this.#timeoutMs === 0) return
    const leftMs = this.#idleSince + this.#timeoutMs - performance.now()
    if (leftMs <= 0) this.#onIdle()
    else this.#timer = setTimeout(() => this.#arm(), Math.min(leftMs, longestMs)).unref()
  }
}
