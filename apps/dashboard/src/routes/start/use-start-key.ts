// The key that the snippets are filled with: in memory only, for as long as the session lasts, so that it is still there
// after a look at another page.
import { useState } from 'react'
import { useClient } from '../../session/client.ts'
import type { Session } from '../../session/session.ts'

const keys = new WeakMap<Session, string>()

export function useStartKey(): [string | undefined, (apiKey: string | undefined) => void] {
  const { session } = useClient()
  const [apiKey, setApiKey] = useState(() => keys.get(session))
  const change = (next: string | undefined): void => {
    if (next === undefined) keys.delete(session)
    else keys.set(session, next)
    setApiKey(next)
  }
  return [apiKey, change]
}
