// The runner of a sandbox: the same for as long as the session lasts, whichever pages are shown meanwhile.
import { WrennError } from '@wrenn/sdk'
import { useSyncExternalStore } from 'react'
import { keys } from '../data/keys.ts'
import { useClient, type Client } from '../session/client.ts'
import { sessions } from '../session/session.ts'
import { RunHistory } from './history.ts'
import { Runner, type RunnerState } from './runner.ts'

const runners = new WeakMap<Client, Map<string, Runner>>()

export function useRunner(sandboxId: string): { runner: Runner; state: RunnerState } {
  const runner = runnerOf(useClient(), sandboxId)
  return { runner, state: useSyncExternalStore(runner.subscribe, runner.state) }
}

function runnerOf(client: Client, sandboxId: string): Runner {
  const known = runners.get(client) ?? new Map<string, Runner>()
  runners.set(client, known)
  const runner = known.get(sandboxId) ?? createRunner(client, sandboxId)
  known.set(sandboxId, runner)
  return runner
}

function createRunner({ session, wrenn, queries }: Client, sandboxId: string): Runner {
  const { token, userId } = session
  return new Runner({
    sandboxId,
    sandboxes: wrenn.sandboxes,
    history: new RunHistory({ userId, sandboxId }, sessionStorage),
    onError: (error) => {
      if (!(error instanceof WrennError)) return
      if (error.code === 'unauthorized') sessions.end('expired', token)
      // It may be paused or gone.
      else void queries.invalidateQueries({ queryKey: keys.sandbox(sandboxId) })
    },
    signal: untilEndOf(token),
  })
}

function untilEndOf(token: string): AbortSignal {
  const controller = new AbortController()
  const unsubscribe = sessions.subscribe(() => {
    if (sessions.current?.token === token) return
    unsubscribe()
    controller.abort(new Error('The session has ended'))
  })
  return controller.signal
}
