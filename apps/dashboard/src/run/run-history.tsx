// What was run before, in this browser tab; to be run again or changed.
import { Pencil } from 'lucide-react'
import { Button } from '../ui/button.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { RelativeTime } from '../ui/time.tsx'
import type { CommandForm } from './command.ts'
import type { PastRun } from './history.ts'
import { durationText, OutcomeBadge } from './outcome.tsx'

export interface RunHistoryProps {
  history: readonly PastRun[]
  onUse: (form: CommandForm) => void
  onForget: () => void
}

export function RunHistoryList({ history, onUse, onForget }: RunHistoryProps) {
  return (
    <section aria-labelledby="run-history" className="flex flex-col gap-2">
      <header className="flex items-center justify-between">
        <h2 id="run-history" className="font-medium">
          Run before
        </h2>
        <Button size="sm" variant="ghost" onClick={onForget}>
          Forget
        </Button>
      </header>
      <ol className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
        {history.map(({ number, form, outcome, durationMs, startedAtMs }) => (
          <li key={number} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-1 pr-1.5 pl-3">
            <code className="min-w-0 flex-1 basis-52 truncate font-mono text-xs" title={form.line}>
              {form.line}
            </code>
            <span className="flex items-center gap-3 text-xs text-muted">
              <OutcomeBadge outcome={outcome} />
              <span>{durationText(durationMs)}</span>
              <RelativeTime at={new Date(startedAtMs).toISOString()} />
            </span>
            <IconButton label={`Use again: ${form.line}`} icon={Pencil} onClick={() => onUse(form)} />
          </li>
        ))}
      </ol>
    </section>
  )
}
