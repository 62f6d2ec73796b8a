// How long something may take: until the caller's signal aborts or its time is over, whichever comes first. One signal
// for both, made by hand: what AbortSignal.any and AbortSignal.timeout give is garbage collected too early in some
// versions of Node 20 and 22.
import { WrennError } from './errors.ts'

/** What every call takes. */
export interface CallOptions {
  /** Ends the call. What is thrown is its reason. */
  signal?: AbortSignal | undefined
  /** Milliseconds for all of the call, retries included: then a WrennError `timeout`. Infinity for no limit. */
  timeoutMs?: number | undefined
}

/** What setTimeout can wait for. */
const longestMs = 2 ** 31 - 1

export class Limit {
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #timer: ReturnType<typeof setTimeout> | undefined
  readonly #endsAt: number

  /** `what` is for the message. Throws the signal's reason when that has aborted already. */
  constructor(what: string, { signal, timeoutMs = Infinity }: CallOptions) {
    signal?.throwIfAborted()
    this.#outer = signal
    signal?.addEventListener('abort', this.#abort)
    this.#endsAt = performance.now() + timeoutMs
    if (timeoutMs > longestMs) return
    const late = (): void =>
      this.#controller.abort(new WrennError('timeout', `${what}: not done within ${timeoutMs} ms`))
    this.#timer = setTimeout(late, timeoutMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get leftMs(): number {
    return this.#endsAt - performance.now()
  }

  /** What to throw for a failure: the reason of the end, when it was that. */
  why(error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : error
  }

  /** Throws when the limit is reached meanwhile. */
  async pause(ms: number): Promise<void> {
    const { signal } = this
    signal.throwIfAborted()
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
    })
    signal.throwIfAborted()
  }

  /** Lets go of the timer and of the caller's signal. */
  end(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#abort)
  }

  readonly #abort = (): void => this.#controller.abort(this.#outer?.reason)
}
