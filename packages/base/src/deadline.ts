// Waiting on the outside world: every wait has a deadline, and its failure names what was waited for.
import { setTimeout as sleep } from 'node:timers/promises'

export class DeadlineError extends Error {
  constructor(what: string, timeoutMs: number, cause?: unknown) {
    super(`${what}: not done within ${timeoutMs} ms`, cause === undefined ? undefined : { cause })
    this.name = 'DeadlineError'
  }
}

/**
 * Calls `attempt` until it returns something other than `undefined`, every `intervalMs` (default 20).
 * An attempt that throws counts as not yet; the last error becomes the cause of the DeadlineError.
 */
export async function pollUntil<T>(
  what: string,
  attempt: () => Promise<T | undefined> | T | undefined,
  options: { timeoutMs: number; intervalMs?: number; signal?: AbortSignal },
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs
  let lastError: unknown
  for (;;) {
    options.signal?.throwIfAborted()
    try {
      const value = await attempt()
      if (value !== undefined) return value
    } catch (error) {
      lastError = error
    }
    if (performance.now() >= deadline) throw new DeadlineError(what, options.timeoutMs, lastError)
    // An abort ends the pause; the next round throws its reason.
    await sleep(options.intervalMs ?? 20, undefined, options.signal ? { signal: options.signal } : {}).catch(
      () => undefined,
    )
  }
}

/** Settles as `promise` does, or rejects with the signal's reason when that aborts. The work itself goes on. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Settles as `promise` does, or rejects with a DeadlineError. The work itself is not stopped: pass it a signal for that. */
export async function withDeadline<T>(what: string, timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(what, timeoutMs)), timeoutMs)
  })
  try {
    return await Promise.race([promise, expired])
  } finally {
    clearTimeout(timer)
  }
}
