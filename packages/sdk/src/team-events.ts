// The changes of a team, as they happen: one connection, which comes back by itself.
import { WrennError } from './errors.ts'
import { openEvents, parseEvent, type ServerEvent } from './event-stream.ts'
import type { Http } from './http.ts'
import { Limit } from './limit.ts'
import type { Sandbox, Template } from './wire.ts'

/** `ready`: what changes from now on is told. List now; also when it comes again. */
export type TeamEvent =
  | { type: 'ready' }
  /** As it is now. `stopped` is its last. */
  | { type: 'sandbox'; sandbox: Sandbox }
  /** New or replaced. */
  | { type: 'template'; template: Template }
  | { type: 'template_deleted'; name: string }

export interface EventsOptions {
  /** Ends it. What is thrown is its reason. */
  signal?: AbortSignal | undefined
  /** For each attempt to connect. 30,000 when left out. */
  timeoutMs?: number | undefined
  /** Called when there is no connection, with why, for each attempt that failed; `ready` says that there is one again. */
  onDisconnect?: ((error: WrennError) => void) | undefined
}

const path = '/v1/events'
const openTimeoutMs = 30_000
/** Doubled with each attempt, and up to half of it taken off at random. */
const firstPauseMs = 250
const longestPauseMs = 10_000

/**
 * Goes on until the loop is left, the signal aborts, or the server refuses for good (`unauthorized` when the credential
 * is worth nothing any more): then that is thrown.
 */
export async function* teamEvents(
  http: Http,
  { signal, timeoutMs = openTimeoutMs, onDisconnect }: EventsOptions = {},
): AsyncGenerator<TeamEvent, void, undefined> {
  for (let failures = 0; ; failures += 1) {
    let error: WrennError
    try {
      for await (const event of await openEvents(http, path, { signal, timeoutMs })) {
        const known = fromWire(event)
        if (known?.type === 'ready') failures = 0
        if (known) yield known
      }
      error = new WrennError('network_error', 'The server has ended the stream')
    } catch (thrown) {
      signal?.throwIfAborted()
      if (!(thrown instanceof WrennError) || isFinal(thrown)) throw thrown
      error = thrown
    }
    onDisconnect?.(error)
    await pause(pauseMs(error, failures), signal)
  }
}

/** Undefined for what a newer server may tell. */
function fromWire(serverEvent: ServerEvent): TeamEvent | undefined {
  const { event } = serverEvent
  const value = parseEvent(serverEvent)
  if (event === 'ready') return { type: 'ready' }
  if (event === 'sandbox') return { type: 'sandbox', sandbox: value as Sandbox }
  if (event === 'template') return { type: 'template', template: value as Template }
  if (event === 'template_deleted')
    return { type: 'template_deleted', name: (value as { name: string }).name }
  return undefined
}

/** Another attempt would be answered the same: a refusal of this caller, or something that is not Wrenn. */
function isFinal({ code, status }: WrennError): boolean {
  if (code === 'unexpected_answer') return status === undefined || status < 500
  return status !== undefined && status < 500 && status !== 429
}

function pauseMs({ retryAfterSec }: WrennError, failures: number): number {
  if (retryAfterSec !== undefined) return retryAfterSec * 1_000
  return Math.min(longestPauseMs, firstPauseMs * 2 ** failures) * (1 - Math.random() / 2)
}

/** Throws the signal's reason. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const limit = new Limit('', { signal })
  try {
    await limit.pause(ms)
  } finally {
    limit.end()
  }
}
