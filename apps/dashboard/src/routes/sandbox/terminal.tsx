// The terminals of a sandbox: the first is opened by the visit, more by a button. Another tab of the sandbox, and a reload
// of the page, leave the shells running: this page finds them again.
import { Tabs } from '@base-ui/react/tabs'
import { whySandboxCannot } from '@wrenn/contract/sandbox-can'
import { Plus, SquareTerminal } from 'lucide-react'
import { useCallback, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useWrenn } from '../../session/client.ts'
import { setScreenReaderMode, useScreenReaderMode } from '../../terminal/screen-reader-mode.ts'
import { stopTerminal } from '../../terminal/stop-terminal.ts'
import { TerminalList, type TerminalEntry } from '../../terminal/terminal-list.ts'
import { TerminalPanel } from '../../terminal/terminal-panel.tsx'
import { labelOf, TerminalTabs } from '../../terminal/terminal-tabs.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { NotRunning } from './not-running.tsx'
import { useSandbox } from './use-sandbox.ts'

export function TerminalTab() {
  const sandbox = useSandbox()
  const wrenn = useWrenn()
  const { id, status } = sandbox
  const list = useMemo(() => new TerminalList(id, sessionStorage), [id])
  const terminals = useSyncExternalStore(list.subscribe, () => list.current)
  const isForScreenReaders = useScreenReaderMode()
  /** The one that was opened or chosen last; none when the page has just been entered. */
  const [chosen, setChosen] = useState<number>()
  const [stopping, setStopping] = useState<TerminalEntry>()
  const tabs = useRef<HTMLDivElement>(null)
  const leave = useCallback(
    () => tabs.current?.querySelector<HTMLElement>('[aria-selected=true]')?.focus(),
    [],
  )
  const cannotOpen = whySandboxCannot('pty', status, 'The sandbox')
  // From then on there is something on the screens, which stays.
  const [hasRun, setHasRun] = useState(false)
  if (status === 'running' && !hasRun) setHasRun(true)

  const add = (): void => {
    list.add()
    setChosen(list.current.shown)
  }
  const stop = (entry: TerminalEntry): void => {
    // There is nothing to lose where nothing runs.
    if (status === 'stopped' || status === 'error' || entry.pid === undefined) list.remove(entry.number)
    else setStopping(entry)
  }

  if (status !== 'running' && !hasRun)
    return (
      <NotRunning sandbox={sandbox} action="pty">
        Its terminals go on when it does.
      </NotRunning>
    )
  if (terminals.entries.length === 0)
    return (
      <EmptyState
        icon={SquareTerminal}
        title="No terminal is open"
        action={
          <Button variant="primary" icon={Plus} disabledReason={cannotOpen} onClick={add}>
            New terminal
          </Button>
        }
      >
        A shell in the sandbox, as root. It goes on when you leave the page, and when the sandbox is paused.
      </EmptyState>
    )
  return (
    <>
      <Tabs.Root
        value={terminals.shown ?? null}
        onValueChange={(number: number) => {
          list.show(number)
          setChosen(number)
        }}
        className="flex h-[max(22rem,calc(100dvh-11rem))] max-sm:h-[max(20rem,calc(100dvh-18rem))] flex-col overflow-hidden rounded-lg border border-line bg-surface"
      >
        <TerminalTabs
          terminals={terminals}
          listRef={tabs}
          cannotOpen={cannotOpen}
          onAdd={add}
          onStop={stop}
          isForScreenReaders={isForScreenReaders}
          onScreenReaders={setScreenReaderMode}
        />
        {terminals.entries.map((entry) => (
          <Tabs.Panel key={entry.number} value={entry.number} keepMounted className="min-h-0 flex-1">
            <TerminalPanel
              sandbox={sandbox}
              list={list}
              entry={entry}
              isShown={entry.number === terminals.shown}
              isForScreenReaders={isForScreenReaders}
              takesFocus={entry.number === chosen}
              onLeave={leave}
            />
          </Tabs.Panel>
        ))}
      </Tabs.Root>
      <ConfirmDialog
        isOpen={stopping !== undefined}
        onClose={() => setStopping(undefined)}
        title={stopping ? `Stop ${labelOf(stopping)}?` : ''}
        confirmLabel="Stop"
        onConfirm={async () => {
          const { number, pid } = stopping ?? {}
          if (number === undefined || pid === undefined) return
          if (cannotOpen !== undefined) throw new Error(`${cannotOpen}. Resume it first.`)
          await stopTerminal(wrenn, id, pid)
          list.remove(number)
        }}
      >
        Its shell ends, and with it what runs in it.
      </ConfirmDialog>
    </>
  )
}
