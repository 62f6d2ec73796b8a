// One terminal: its screen, and below it a line that says how it is and what can be done.
import type { Sandbox } from '@wrenn/sdk'
import { useEffect, useId, useRef, useState } from 'react'
import { cx } from '../lib/cx.ts'
import { Skeleton } from '../ui/skeleton.tsx'
import { LinkDialog } from './link-dialog.tsx'
import { StatusBar } from './status-bar.tsx'
import { TerminalHints } from './terminal-hints.tsx'
import type { TerminalEntry, TerminalList } from './terminal-list.ts'
import { useLink } from './use-link.ts'
import { useScreen } from './use-screen.ts'

export interface TerminalPanelProps {
  sandbox: Sandbox
  list: TerminalList
  entry: TerminalEntry
  isShown: boolean
  isForScreenReaders: boolean
  /** Opened by the user just now: gets the focus once it is there. */
  takesFocus: boolean
  /** Where the focus goes from the terminal. */
  onLeave: () => void
}

export function TerminalPanel({
  sandbox,
  list,
  entry,
  isShown,
  isForScreenReaders,
  takesFocus,
  onLeave,
}: TerminalPanelProps) {
  const { number } = entry
  const host = useRef<HTMLDivElement>(null)
  const hintsId = useId()
  const [url, setUrl] = useState<string>()
  const screen = useScreen(host, { isForScreenReaders, describedBy: hintsId })
  const { state, retry, startAnew } = useLink({ screen, sandbox, list, entry })
  useEffect(() => {
    screen?.listen({
      title: (title) => list.rename(number, title),
      leave: onLeave,
      link: setUrl,
    })
  }, [screen, list, number, onLeave])
  useEffect(() => {
    if (isShown && takesFocus) screen?.focus()
  }, [screen, isShown, takesFocus])
  const restart = (): void => {
    startAnew()
    screen?.focus()
  }
  const isLive = sandbox.status === 'running' && state.kind === 'open'
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="relative min-h-0 flex-1 bg-surface py-1.5 pl-2.5">
        <div ref={host} className={cx('h-full overflow-hidden font-mono', !isLive && 'opacity-60')} />
        {!screen && (
          <div className="absolute inset-0 p-3">
            <Skeleton label="Loading the terminal" rows={2} />
          </div>
        )}
      </div>
      <StatusBar sandbox={sandbox} state={state} onRetry={retry} onRestart={restart}>
        <TerminalHints id={hintsId} />
      </StatusBar>
      {url !== undefined && <LinkDialog url={url} onClose={() => setUrl(undefined)} />}
    </div>
  )
}
