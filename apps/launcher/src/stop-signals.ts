// SIGINT, SIGTERM and SIGHUP: the first asks for a stop, a later one for a quick stop. One ctrl-C arrives twice, from the
// terminal and from npm, which forwards it: what comes within a second is the same wish.

const SAME_WISH_MS = 1_000

export class StopSignals {
  /** Aborted by the first signal. */
  readonly stop: AbortSignal
  readonly received: Promise<undefined>
  onSecond: () => void = () => undefined

  constructor() {
    const controller = new AbortController()
    this.stop = controller.signal
    this.received = new Promise((resolve) => {
      this.stop.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    let firstAt: number | undefined
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        firstAt ??= performance.now()
        if (!controller.signal.aborted) controller.abort(new Error(`stopped by ${name}`))
        else if (performance.now() - firstAt > SAME_WISH_MS) this.onSecond()
      })
    }
  }
}
