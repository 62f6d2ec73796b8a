// Whatever changes in a folder is seen at once, while the browser's tab is shown: browsers open six connections to a
// server at a time (HTTP/1.1) for all of their tabs, and a hidden one must not hold any.
import { WrennError, type FileChange, type Files } from '@wrenn/sdk'
import { useEffect, useEffectEvent, useState } from 'react'
import { pause } from '../../../lib/pause.ts'
import { useWrenn } from '../../../session/client.ts'
import { useIsVisible } from '../../../ui/use-is-visible.ts'

type WatchState = 'connecting' | 'live' | 'off'

export interface Watch {
  state: WatchState
  /** After it has ended. */
  restart: () => void
}

/** `onChange` gets what has changed; undefined when anything may have. */
export function useWatch(
  { id, path, isOn }: { id: string; path: string; isOn: boolean },
  onChange: (change?: FileChange) => void,
): Watch {
  const { files } = useWrenn().sandboxes
  const isWanted = useIsVisible() && isOn
  const [attempt, setAttempt] = useState(0)
  const [state, setState] = useState<WatchState>('connecting')
  const report = useEffectEvent(onChange)
  useEffect(() => {
    if (!isWanted) return undefined
    const controller = new AbortController()
    const { signal } = controller
    const show = (next: WatchState): void => {
      if (!signal.aborted) setState(next)
    }
    const tell = (change?: FileChange): void => {
      if (!signal.aborted) report(change)
    }
    void follow(files, { id, path, signal, show, tell })
    return () => {
      controller.abort()
      setState('connecting')
    }
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- another attempt begins anew
  }, [files, id, path, isWanted, attempt])
  return { state: isWanted ? state : 'off', restart: () => setAttempt(attempt + 1) }
}

interface Follow {
  id: string
  path: string
  signal: AbortSignal
  show: (state: WatchState) => void
  tell: (change?: FileChange) => void
}

/** What another attempt may mend. */
const passing: ReadonlySet<string> = new Set([
  'network_error',
  'timeout',
  'unavailable',
  'agent_error',
  'rate_limited',
])
const firstPauseMs = 500
const longestPauseMs = 10_000

async function follow(files: Files, { id, path, signal, show, tell }: Follow): Promise<void> {
  let pauseMs = firstPauseMs
  while (!signal.aborted) {
    try {
      for await (const event of files.watch(id, path, { signal })) {
        if (event.type === 'ready') {
          show('live')
          pauseMs = firstPauseMs
        }
        tell(event.type === 'change' ? event.change : undefined)
      }
      // The folder is gone, or the sandbox does not run: reading it again says which.
      show('off')
      tell()
      return
    } catch (error) {
      show('off')
      if (!(error instanceof WrennError) || !passing.has(error.code)) return
    }
    await pause(pauseMs, signal)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
}
