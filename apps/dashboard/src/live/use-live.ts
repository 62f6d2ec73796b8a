// One event stream for each session, however many pages are shown. The layout opens it.
import { WrennError, type Wrenn } from '@wrenn/sdk'
import { useEffect, useState } from 'react'
import type { Client } from '../session/client.ts'
import { applyEvent, type TeamEvent } from './events.ts'
import { follow, type Connection } from './follow.ts'

export function useLive({ wrenn, queries }: Client): Connection {
  const [connection, setConnection] = useState<Connection>('connecting')
  useEffect(() => {
    const controller = new AbortController()
    void follow({
      open: (signal) => openEvents(wrenn, signal),
      onEvent: (event) => applyEvent(queries, event),
      onConnection: setConnection,
      isFinal: (error) => error instanceof WrennError && error.code === 'unauthorized',
      signal: controller.signal,
    })
    return () => controller.abort()
  }, [wrenn, queries])
  return connection
}

// TODO(events): `wrenn.events({ signal })`, as soon as the SDK has it.
async function* openEvents(wrenn: Wrenn, signal: AbortSignal): AsyncGenerator<TeamEvent> {
  const { events } = wrenn as { events?: (options: { signal: AbortSignal }) => AsyncIterable<TeamEvent> }
  if (events) yield* events.call(wrenn, { signal })
  else await new Promise((resolve) => signal.addEventListener('abort', resolve))
}
