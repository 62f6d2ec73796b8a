// What was done in a run, and what became of it.
import type { Outcome } from './client.ts'

export class Tally {
  readonly #requests = new Map<string, { ok: number; failed: Map<string, number> }>()
  readonly #kills = new Map<string, { count: number; longestMs: number }>()

  request(operation: string, { status, code }: Outcome): void {
    const counts = this.#requests.get(operation) ?? { ok: 0, failed: new Map<string, number>() }
    this.#requests.set(operation, counts)
    if (status >= 200 && status < 300) {
      counts.ok += 1
      return
    }
    const kind = status === 0 ? 'broken off' : `${status} ${code}`
    counts.failed.set(kind, (counts.failed.get(kind) ?? 0) + 1)
  }

  /** `backMs`: until the platform served again. */
  kill(what: string, backMs: number): void {
    const { count, longestMs } = this.#kills.get(what) ?? { count: 0, longestMs: 0 }
    this.#kills.set(what, { count: count + 1, longestMs: Math.max(longestMs, backMs) })
  }

  get kills(): number {
    return [...this.#kills.values()].reduce((sum, { count }) => sum + count, 0)
  }

  succeeded(operation: string): number {
    return this.#requests.get(operation)?.ok ?? 0
  }

  lines(): string[] {
    const requests = [...this.#requests].toSorted(byName).map(([operation, { ok, failed }]) => {
      const kinds = [...failed].toSorted((a, b) => b[1] - a[1]).map(([kind, count]) => `${kind}: ${count}`)
      return `  ${operation.padEnd(16)} ${String(ok).padStart(6)} ok   ${kinds.join(', ')}`
    })
    const kills = [...this.#kills].toSorted(byName).map(([what, { count, longestMs }]) => {
      const back = `back after at most ${(longestMs / 1000).toFixed(1)} s`
      return `  ${what.padEnd(16)} ${String(count).padStart(6)}      ${back}`
    })
    return ['operations', ...requests, 'kill -9', ...kills]
  }
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}
