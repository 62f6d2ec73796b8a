// What changes in a folder of a sandbox, as it happens: one connection, which ends with the folder.
import { openEvents, parseEvent, type ServerEvent } from './event-stream.ts'
import { fill, queryString, type Http } from './http.ts'
import type { FileChange } from './wire.ts'

export type FileWatchEvent =
  /** From now on nothing is missed: list now. */
  | { type: 'ready' }
  | { type: 'change'; change: FileChange }
  /** There were too many changes to tell: list again. */
  | { type: 'overflow' }

export interface WatchOptions {
  /** Folders below it, too. */
  recursive?: boolean | undefined
  /** Ends it. What is thrown is its reason. */
  signal?: AbortSignal | undefined
  /** For the connection. 30,000 when left out. */
  timeoutMs?: number | undefined
}

const openTimeoutMs = 30_000

export async function* watchFolder(
  http: Http,
  { id, path }: { id: string; path: string },
  { recursive = false, signal, timeoutMs = openTimeoutMs }: WatchOptions,
): AsyncGenerator<FileWatchEvent, void, undefined> {
  const query = queryString({ path, ...(recursive ? { recursive: 'true' } : {}) })
  const url = fill('/v1/sandboxes/{id}/files/watch', { id }) + query
  for await (const event of await openEvents(http, url, { signal, timeoutMs })) {
    const known = fromWire(event)
    if (known) yield known
  }
}

/** Undefined for what a newer server may tell. */
function fromWire(serverEvent: ServerEvent): FileWatchEvent | undefined {
  const { event } = serverEvent
  if (event === 'change') return { type: 'change', change: parseEvent(serverEvent) as FileChange }
  return event === 'ready' || event === 'overflow' ? { type: event } : undefined
}
