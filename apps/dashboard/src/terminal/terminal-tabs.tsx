// The row above the terminals: a tab for each, and what can be done.
import { Tabs } from '@base-ui/react/tabs'
import { Accessibility, Plus, SquareX } from 'lucide-react'
import type { RefObject } from 'react'
import { cx } from '../lib/cx.ts'
import { IconButton } from '../ui/icon-button.tsx'
import type { TerminalEntry, Terminals } from './terminal-list.ts'

export interface TerminalTabsProps {
  terminals: Terminals
  /** The list of tabs: where the focus goes from a terminal. */
  listRef: RefObject<HTMLDivElement | null>
  cannotOpen: string | undefined
  onAdd: () => void
  onStop: (entry: TerminalEntry) => void
  isForScreenReaders: boolean
  onScreenReaders: (isOn: boolean) => void
}

export function labelOf({ number, title }: TerminalEntry): string {
  return title ?? `Terminal ${number}`
}

/** Inside `Tabs.Root`. */
export function TerminalTabs({
  terminals: { entries, shown },
  listRef,
  cannotOpen,
  onAdd,
  onStop,
  isForScreenReaders,
  onScreenReaders,
}: TerminalTabsProps) {
  const current = entries.find(({ number }) => number === shown)
  return (
    <div className="flex shrink-0 items-stretch justify-between gap-2 border-b border-line bg-canvas pr-1.5">
      <Tabs.List ref={listRef} aria-label="Terminals" className="flex min-w-0 overflow-x-auto">
        {entries.map((entry) => (
          <Tabs.Tab
            key={entry.number}
            value={entry.number}
            title={labelOf(entry)}
            onKeyDown={(event) => {
              if (event.key === 'Delete') onStop(entry)
            }}
            className="-mb-px max-w-52 min-w-20 truncate border-r border-b border-line px-3 py-2 text-left text-muted hover:text-ink focus-visible:-outline-offset-2 data-active:border-b-surface data-active:bg-surface data-active:text-ink"
          >
            {labelOf(entry)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <div className="flex items-center py-0.5">
        <IconButton label="New terminal" icon={Plus} disabledReason={cannotOpen} onClick={onAdd} />
        {current && <IconButton label="Stop this terminal" icon={SquareX} onClick={() => onStop(current)} />}
        <IconButton
          label="For screen readers"
          icon={Accessibility}
          aria-pressed={isForScreenReaders}
          onClick={() => onScreenReaders(!isForScreenReaders)}
          className={cx(isForScreenReaders && 'bg-accent-soft text-accent')}
        />
      </div>
    </div>
  )
}
