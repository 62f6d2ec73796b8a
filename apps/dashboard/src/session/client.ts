// What a session has to work with: one client of the SDK and one query cache. A 401 anywhere ends the session; whoever
// signs in next, perhaps somebody else, begins with an empty cache.
import type { QueryClient } from '@tanstack/react-query'
import { Wrenn, WrennError } from '@wrenn/sdk'
import { createContext, use, useCallback } from 'react'
import { createQueryClient } from '../data/query-client.ts'
import { sessions, type Session } from './session.ts'

export interface Client {
  session: Session
  wrenn: Wrenn
  queries: QueryClient
}

let latest: Client | undefined

/** The same for the same session. */
export function clientOf(session: Session): Client {
  if (latest?.session.token === session.token) return latest
  latest?.queries.clear()
  const { token } = session
  const ended = (): void => sessions.end('expired', token)
  const watched = async (url: string, init: RequestInit): Promise<Response> => {
    // oxlint-disable-next-line no-restricted-globals -- this is the SDK's own fetch
    const response = await fetch(url, init)
    if (response.status === 401) ended()
    return response
  }
  latest = {
    session,
    wrenn: new Wrenn({ baseUrl: location.origin, token, fetch: watched }),
    // Uploads and WebSockets do not go through fetch: their 401 is seen as an error.
    queries: createQueryClient((error) => {
      if (error instanceof WrennError && error.code === 'unauthorized') ended()
    }),
  }
  return latest
}

/** For what needs no session: signing in. Whoever is to wait is told so, instead of watching nothing happen. */
export const anonymousWrenn = new Wrenn({ baseUrl: location.origin, maxRetries: 0 })

export const ClientContext = createContext<Client | undefined>(undefined)

/** In pages behind the sign-in. */
export function useClient(): Client {
  const client = use(ClientContext)
  if (!client) throw new Error('useClient: this is no page behind the sign-in')
  return client
}

export function useWrenn(): Wrenn {
  return useClient().wrenn
}

/** For errors of what goes past the SDK's fetch: ends the session when that is what they say. */
export function useSessionEnd(): (error: unknown) => void {
  const { token } = useClient().session
  return useCallback(
    (error) => {
      if (error instanceof WrennError && error.code === 'unauthorized') sessions.end('expired', token)
    },
    [token],
  )
}
