// Times that go on by themselves, and quantities, as people read them.
import { useSyncExternalStore } from 'react'
import { formatBytes, formatDateTime, formatDuration, formatRelative } from '../lib/format.ts'

const tickMs = 1_000
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined
const listeners = new Set<() => void>()

/** One clock for all that is shown; it stands still while nothing is. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const each of listeners) each()
  }, tickMs)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** Renders again only when what `read` makes of the time (milliseconds since 1970) has changed. */
export function useNow<T extends string | number | boolean>(read: (nowMs: number) => T): T {
  return useSyncExternalStore(subscribe, () => read(timer === undefined ? (now = Date.now()) : now))
}

/** "5 min ago"; the tooltip has it in full. `at`: RFC 3339. */
export function RelativeTime({ at }: { at: string }) {
  const text = useNow((nowMs) => formatRelative(Date.parse(at), nowMs))
  return (
    <time dateTime={at} title={formatDateTime(at)} className="whitespace-nowrap">
      {text}
    </time>
  )
}

/** How long it has been, counting: "2 min 30 s". */
export function Elapsed({ since }: { since: string }) {
  return (
    <span className="whitespace-nowrap" title={`since ${formatDateTime(since)}`}>
      {useNow((nowMs) => formatDuration((nowMs - Date.parse(since)) / 1_000))}
    </span>
  )
}

export function Bytes({ bytes }: { bytes: number }) {
  return (
    <span className="whitespace-nowrap" title={`${bytes} bytes`}>
      {formatBytes(bytes)}
    </span>
  )
}
