// One event stream for each session, however many pages are shown. The layout opens it; the SDK opens it again whenever
// it breaks off, and the `ready` that comes first has everything read again. A hidden tab has none: over HTTP/1.1 a
// browser has six connections to a server, for all of its tabs.
import { useEffect, useState } from 'react'
import type { Client } from '../session/client.ts'
import { useIsVisible } from '../ui/use-is-visible.ts'
import { applyEvent } from './events.ts'

export type Connection = 'connecting' | 'live' | 'lost'

export function useLive(client: Client): Connection {
  const [connection, setConnection] = useState<Connection>('connecting')
  const isVisible = useIsVisible()
  useEffect(() => {
    if (!isVisible) return undefined
    const controller = new AbortController()
    const { signal } = controller
    const show = (next: Connection): void => {
      if (!signal.aborted) setConnection(next)
    }
    // What the server refuses for good is the end of the session, which the client has seen (session/client.ts).
    follow(client, show, signal).catch(() => show('lost'))
    return () => controller.abort()
  }, [client, isVisible])
  return connection
}

/** Goes on until the signal aborts, which is thrown, or the server refuses for good. */
async function follow(
  { wrenn, queries }: Client,
  show: (connection: Connection) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const event of wrenn.events({ signal, onDisconnect: () => show('lost') })) {
    if (event.type === 'ready') show('live')
    applyEvent(queries, event)
  }
}
