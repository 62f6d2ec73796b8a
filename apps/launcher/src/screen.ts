// What the operator sees of a start: a line for each phase when it is done, and while it runs a live line on a terminal,
// or a plain one every few seconds elsewhere. Everything else that the launcher says goes through here too, so that
// it never lands in the middle of the live line.

const LIVE_INTERVAL_MS = 200
const PLAIN_INTERVAL_MS = 5_000

export interface Output {
  isTTY?: boolean
  columns?: number
  write: (text: string) => unknown
}

export interface PhaseTime {
  name: string
  durationMs: number
}

export class Screen {
  readonly phases: PhaseTime[]
  readonly #output: Output
  #live = false

  /** `earlier`: phases that are over already, those of the bootstrap. */
  constructor(output: Output, earlier: PhaseTime[] = []) {
    this.#output = output
    this.phases = [...earlier]
  }

  line(text: string): void {
    this.#output.write(`${this.#live ? '\r\x1b[K' : ''}${text}\n`)
    this.#live = false
  }

  /** Runs the phase and shows how it goes on: `work` tells its current step. */
  async phase<T>(name: string, work: (step: (text: string) => void) => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    let current = ''
    const show = (): void => this.#show(`${name}: ${current === '' ? '' : `${current}, `}`, startedAt)
    const timer = setInterval(show, this.#output.isTTY ? LIVE_INTERVAL_MS : PLAIN_INTERVAL_MS)
    try {
      const result = await work((text) => (current = text))
      const durationMs = performance.now() - startedAt
      this.phases.push({ name, durationMs })
      this.line(`${name}: done in ${seconds(durationMs)}`)
      return result
    } finally {
      clearInterval(timer)
    }
  }

  #show(text: string, startedAt: number): void {
    const line = `${text}${seconds(performance.now() - startedAt)}`
    if (!this.#output.isTTY) return this.line(line)
    this.#output.write(`\r\x1b[K${line.slice(0, (this.#output.columns ?? 80) - 1)}`)
    this.#live = true
  }
}

export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`
}

/** What tools/bootstrap.sh took: `name=milliseconds`, separated by spaces. */
export function bootstrapPhases(times = ''): PhaseTime[] {
  return [...times.matchAll(/(\w+)=(\d+)/g)].map(([, name = '', durationMs]) => ({
    name,
    durationMs: Number(durationMs),
  }))
}
