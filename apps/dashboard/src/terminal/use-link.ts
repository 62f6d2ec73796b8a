// Keeps a screen linked to its shell while the sandbox runs. Detached when the page is left: a terminal that is looked at
// keeps its sandbox awake.
import { WrennError, type Sandbox } from '@wrenn/sdk'
import { useEffect, useRef, useState } from 'react'
import { keys } from '../data/keys.ts'
import { useClient, useSessionEnd } from '../session/client.ts'
import { Link, type LinkState } from './link.ts'
import type { Screen } from './screen.ts'
import type { TerminalEntry, TerminalList } from './terminal-list.ts'

/** What shows that the sandbox is not as we know it. */
const tellsOfChange: ReadonlySet<string> = new Set(['invalid_state', 'not_found', 'agent_error'])

export interface UseLinkOptions {
  screen: Screen | undefined
  sandbox: Sandbox
  list: TerminalList
  entry: TerminalEntry
}

export interface LinkOfScreen {
  state: LinkState
  /** After a refusal. */
  retry: () => void
  /** After the end of the shell. */
  startAnew: () => void
}

export function useLink({ screen, sandbox, list, entry: { number } }: UseLinkOptions): LinkOfScreen {
  const { wrenn, queries } = useClient()
  const endSession = useSessionEnd()
  const [state, setState] = useState<LinkState>({ kind: 'opening' })
  const link = useRef<Link>(undefined)
  const { id, status } = sandbox
  const isRunning = status === 'running'
  useEffect(() => {
    if (!screen || !isRunning) return undefined
    const controller = new AbortController()
    const current = new Link({
      open: (request, options) => wrenn.sandboxes.pty(id, request, options),
      screen,
      pid: list.find(number)?.pid,
      onPid: (pid) => list.started(number, pid),
      onState: setState,
      onError: (error) => {
        endSession(error)
        if (error instanceof WrennError && tellsOfChange.has(error.code))
          void queries.invalidateQueries({ queryKey: keys.sandbox(id) })
      },
      signal: controller.signal,
    })
    screen.listen({
      input: (text) => current.type(text),
      resize: ({ cols, rows }) => current.resize(cols, rows),
    })
    link.current = current
    void current.run()
    return () => controller.abort()
  }, [screen, isRunning, id, number, list, wrenn, queries, endSession])
  return {
    state,
    retry: () => void link.current?.run(),
    startAnew: () => {
      list.ended(number)
      void link.current?.runAnew()
    },
  }
}
