// One action on many sandboxes, a few at a time, with how each of them went.
import type { Sandbox } from '@wrenn/sdk'
import { useState } from 'react'
import { whyNot } from '../../sandboxes/actions.ts'
import { perform, type SimpleAction } from '../../sandboxes/perform.ts'
import { useClient } from '../../session/client.ts'

export interface Bulk {
  action: SimpleAction
  total: number
  done: readonly string[]
  failed: readonly { id: string; error: unknown }[]
}

/** Browsers open six connections to a server (HTTP/1.1), and the event stream has one of them. */
const atOnce = 4

export function useBulk(): {
  bulk: Bulk | undefined
  /** Returns when each has been done or has failed: the ids of those that have been done. */
  run: (action: SimpleAction, sandboxes: readonly Sandbox[]) => Promise<string[]>
  dismiss: () => void
} {
  const client = useClient()
  const [bulk, setBulk] = useState<Bulk>()
  const run = async (action: SimpleAction, sandboxes: readonly Sandbox[]): Promise<string[]> => {
    const done: string[] = []
    setBulk({ action, total: sandboxes.length, done: [], failed: [] })
    const rest = [...sandboxes]
    const work = async (): Promise<void> => {
      for (let sandbox = rest.shift(); sandbox; sandbox = rest.shift()) {
        const { id } = sandbox
        try {
          const reason = whyNot(action, sandbox)
          // What cannot be is not asked for; a snapshot of the state when it was selected.
          if (reason !== undefined) throw new Error(reason)
          await perform(client, action, sandbox)
          done.push(id)
          setBulk((now) => now && { ...now, done: [...now.done, id] })
        } catch (error) {
          setBulk((now) => now && { ...now, failed: [...now.failed, { id, error }] })
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    return done
  }
  return { bulk, run, dismiss: () => setBulk(undefined) }
}
