// What belongs to the request that is being answered, for everything it calls: its id (log lines, calls to other
// processes) and how long its phases took (Server-Timing). Set by packages/http around each handler.
import { AsyncLocalStorage } from 'node:async_hooks'

export interface RequestContext {
  requestId: string
  /** Entries of a Server-Timing header. */
  timings: string[]
}

const storage = new AsyncLocalStorage<RequestContext>()

export function inRequest<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work)
}

/** For work that a request starts and that goes on without it. */
export function outsideRequests<T>(work: () => T): T {
  return storage.exit(work)
}

export function currentRequest(): RequestContext | undefined {
  return storage.getStore()
}

/** Notes how long `work` takes, also when it fails. `phase`: a token such as "restore". */
export async function timed<T>(phase: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  try {
    return await work()
  } finally {
    currentRequest()?.timings.push(`${phase};dur=${(performance.now() - startedAt).toFixed(1)}`)
  }
}
