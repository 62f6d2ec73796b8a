// Counts uses against limits that all control planes share. Each reserves a batch (a hundredth of the limit) from
// Postgres and spends it here, so that most requests cost no query. So no more than the limit is ever let through, and
// what other control planes have reserved and not spent, at most a hundredth each, is refused too early. Limits below
// 200 are reserved one by one and exact.
import type { RateLimit, RateLimitName, RateLimits } from '@wrenn/base'
import type { Database } from '../store/database.ts'
import { rateLimitReserve } from '../store/rate-limits.ts'

/** How a limit stands after a use. */
export interface Standing extends RateLimit {
  name: RateLimitName
  allowed: boolean
  /** Uses left in this window. */
  left: number
  /** Seconds until the window ends, rounded up. */
  resetSec: number
}

interface Window {
  /** Reserved and not spent. */
  tokens: number
  /** Left in Postgres after our last reservation. */
  leftShared: number
  /** By our own clock. */
  endsAtMs: number
  waiting: number
  reserving: Promise<void> | undefined
}

const batchPart = 100
const maxWindows = 10_000

export class RateLimiter {
  readonly #db: Database
  readonly #limits: RateLimits
  readonly #windows = new Map<string, Window>()

  constructor(db: Database, limits: RateLimits) {
    this.#db = db
    this.#limits = limits
  }

  /** One use of `name` by `who` (a team, an address). Throws `unavailable` when the database is needed and not there. */
  async use(name: RateLimitName, who: string): Promise<Standing> {
    const limit = this.#limits[name]
    const key = `${name} ${who}`
    const window = this.#windowOf(key)
    window.waiting += 1
    try {
      while (!isKnown(window)) {
        window.reserving ??= this.#reserve(key, limit, window)
        await window.reserving
      }
    } finally {
      window.waiting -= 1
    }
    const allowed = window.tokens > 0
    if (allowed) window.tokens -= 1
    const left = window.tokens + window.leftShared
    const resetSec = Math.max(1, Math.ceil((window.endsAtMs - performance.now()) / 1_000))
    return { name, ...limit, allowed, left, resetSec }
  }

  async #reserve(key: string, limit: RateLimit, window: Window): Promise<void> {
    const batch = Math.floor(limit.count / batchPart)
    const wanted = Math.max(1, batch, window.waiting)
    try {
      const { granted, used, remainingMs } = await rateLimitReserve(this.#db, key, { ...limit, wanted })
      window.tokens = granted
      window.leftShared = Math.max(0, limit.count - used)
      window.endsAtMs = performance.now() + remainingMs
    } finally {
      window.reserving = undefined
    }
  }

  #windowOf(key: string): Window {
    const known = this.#windows.get(key)
    if (known) return known
    if (this.#windows.size >= maxWindows) this.#forgetEnded()
    const window = { tokens: 0, leftShared: 1, endsAtMs: 0, waiting: 0, reserving: undefined }
    this.#windows.set(key, window)
    return window
  }

  #forgetEnded(): void {
    const now = performance.now()
    for (const [key, { endsAtMs, waiting }] of this.#windows)
      if (waiting === 0 && endsAtMs <= now) this.#windows.delete(key)
  }
}

/** Whether the answer is known without asking: a token is here, or nothing is left until the window ends. */
function isKnown({ tokens, leftShared, endsAtMs }: Window): boolean {
  return performance.now() < endsAtMs && (tokens > 0 || leftShared === 0)
}
