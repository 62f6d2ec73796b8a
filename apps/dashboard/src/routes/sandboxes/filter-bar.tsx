// Above the list: a text that narrows it, and the states, each with how many are in it.
import { getRouteApi } from '@tanstack/react-router'
import type { Sandbox } from '@wrenn/sdk'
import { Search } from 'lucide-react'
import { useMemo } from 'react'
import { cx } from '../../lib/cx.ts'
import { controlStyle } from '../../ui/field.tsx'
import { countByStatus, listedStatuses, type ListedStatus } from './search.ts'

const route = getRouteApi('/app/sandboxes')

export interface FilterBarProps {
  /** All of them, not those that are shown. */
  sandboxes: readonly Sandbox[]
  text: string
  onText: (text: string) => void
}

export function FilterBar({ sandboxes, text, onText }: FilterBarProps) {
  const { status: chosen } = route.useSearch()
  const counts = useMemo(() => countByStatus(sandboxes), [sandboxes])
  // Two that nearly always stand for something, and the rest when there are any.
  const statuses = listedStatuses.filter(
    (status) => counts[status] > 0 || status === chosen || status === 'running' || status === 'paused',
  )
  return (
    <div className="flex flex-wrap items-center gap-3">
      <label className="relative w-72 max-sm:w-full">
        <span className="sr-only">Filter by text</span>
        <Search aria-hidden className="absolute top-2 left-2.5 size-4 text-muted" />
        <input
          type="search"
          value={text}
          onChange={({ target }) => onText(target.value)}
          placeholder="Id, template, metadata…"
          className={cx(controlStyle, 'h-8 pl-8')}
        />
      </label>
      <div role="group" aria-label="Filter by status" className="flex flex-wrap gap-1">
        <StatusFilter status={undefined} label="All" count={sandboxes.length} isChosen={!chosen} />
        {statuses.map((status) => (
          <StatusFilter
            key={status}
            status={status}
            label={status}
            count={counts[status]}
            isChosen={status === chosen}
          />
        ))}
      </div>
    </div>
  )
}

interface StatusFilterProps {
  /** Undefined: any. */
  status: ListedStatus | undefined
  label: string
  count: number
  isChosen: boolean
}

function StatusFilter({ status, label, count, isChosen }: StatusFilterProps) {
  const navigate = route.useNavigate()
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={() =>
        void navigate({
          search: ({ status: _status, ...rest }) => (status === undefined ? rest : { ...rest, status }),
          replace: true,
          resetScroll: false,
        })
      }
      className={cx(
        'flex h-8 items-center gap-1.5 rounded-md border px-2.5 capitalize',
        isChosen
          ? 'border-line bg-surface font-medium text-ink'
          : 'border-transparent text-muted hover:bg-hover hover:text-ink',
      )}
    >
      {label}
      <span className="text-xs text-muted">{count}</span>
    </button>
  )
}
