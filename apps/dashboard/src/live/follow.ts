// Follows the event stream for as long as a session lasts: opened again whenever it ends, at once at first and then with
// growing pauses, so that the app recovers by itself when the server was away.
import type { TeamEvent } from './events.ts'

export type Connection = 'connecting' | 'live' | 'lost'

export interface FollowOptions {
  /** Opens the stream. Its iterator throws, or ends, when the connection does. */
  open: (signal: AbortSignal) => AsyncIterable<TeamEvent>
  onEvent: (event: TeamEvent) => void
  onConnection: (connection: Connection) => void
  /** True for errors that another attempt does not mend: the session has ended. */
  isFinal: (error: unknown) => boolean
  signal: AbortSignal
}

const firstPauseMs = 500
const longestPauseMs = 10_000

/** Returns when the signal aborts, or after a final error. */
export async function follow({ open, onEvent, onConnection, isFinal, signal }: FollowOptions): Promise<void> {
  let pauseMs = firstPauseMs
  onConnection('connecting')
  while (!signal.aborted) {
    try {
      for await (const event of open(signal)) {
        if (event.type === 'ready') {
          pauseMs = firstPauseMs
          onConnection('live')
        }
        onEvent(event)
      }
    } catch (error) {
      if (signal.aborted || isFinal(error)) return
    }
    if (signal.aborted) return
    onConnection('lost')
    await pause(pauseMs * (1 + Math.random() / 4), signal)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
}

/** Returns early when the network comes back, and when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}
