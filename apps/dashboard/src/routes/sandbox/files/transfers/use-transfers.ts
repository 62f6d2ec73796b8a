// The transfers of a sandbox, for as long as the session lasts: the same list wherever it is asked for.
import { useMemo, useSyncExternalStore } from 'react'
import { useClient, useSessionEnd, type Client } from '../../../../session/client.ts'
import { Transfers, type Transfer } from './transfers.ts'

const byClient = new WeakMap<Client, Map<string, Transfers>>()

export function useTransfers(id: string): Transfers {
  const client = useClient()
  // Uploads do not go through the client's own fetch.
  const endSession = useSessionEnd()
  return useMemo(() => {
    const bySandbox = byClient.get(client) ?? new Map<string, Transfers>()
    byClient.set(client, bySandbox)
    const known = bySandbox.get(id)
    if (known) return known
    const transfers = new Transfers(endSession)
    transfers.subscribe(() => guardUnload(transfers))
    bySandbox.set(id, transfers)
    return transfers
  }, [client, id, endSession])
}

const guarded = new Set<Transfers>()

/** The browser asks before it leaves the app while anything is under way. */
function guardUnload(transfers: Transfers): void {
  if (transfers.all.some(({ state }) => state === 'active' || state === 'waiting')) guarded.add(transfers)
  else guarded.delete(transfers)
  if (guarded.size > 0) addEventListener('beforeunload', askFirst)
  else removeEventListener('beforeunload', askFirst)
}

function askFirst(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

export function useAllTransfers(transfers: Transfers): readonly Transfer[] {
  return useSyncExternalStore(
    (listener) => transfers.subscribe(listener),
    () => transfers.all,
  )
}
