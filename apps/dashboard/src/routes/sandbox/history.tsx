// What has happened to a sandbox: who did it, when, and why. The event stream has it read again when the sandbox changes.
import { useInfiniteQuery } from '@tanstack/react-query'
import type { SandboxEvent } from '@wrenn/sdk'
import { History } from 'lucide-react'
import { keys } from '../../data/keys.ts'
import { cx } from '../../lib/cx.ts'
import { formatDateTime } from '../../lib/format.ts'
import { useWrenn } from '../../session/client.ts'
import { Button } from '../../ui/button.tsx'
import { CopyAsCurl } from '../../ui/copy-as-curl.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState, InlineError } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { RelativeTime } from '../../ui/time.tsx'
import { eventBy, eventWords } from './history/event-words.ts'
import { useSandbox } from './use-sandbox.ts'

const pageSize = 50

export function HistoryTab() {
  const { id } = useSandbox()
  const wrenn = useWrenn()
  const history = useInfiniteQuery({
    queryKey: keys.sandboxEvents(id),
    queryFn: ({ pageParam, signal }) =>
      wrenn.sandboxes.eventsPage(id, { limit: pageSize, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })
  const { data, error, isPending, hasNextPage, isFetchingNextPage, isFetchNextPageError } = history
  if (isPending) return <Skeleton label="Loading the history" />
  if (!data)
    return (
      <ErrorState
        title="The history could not be loaded"
        error={error}
        onRetry={() => void history.refetch()}
      />
    )
  const events = data.pages.flatMap((page) => page.events)
  return (
    <div className="flex flex-col gap-3">
      <div className="flex items-center justify-between gap-2">
        <p className="text-muted">Newest first.</p>
        <CopyAsCurl call={{ method: 'GET', path: `/v1/sandboxes/${id}/events` }} />
      </div>
      {error && !isFetchNextPageError && <InlineError error={error} />}
      {events.length === 0 ? (
        <EmptyState icon={History} title="Nothing is known">
          This sandbox is older than the history that Wrenn keeps.
        </EmptyState>
      ) : (
        <ol aria-label="History" className="rounded-lg border border-line bg-surface">
          {events.map((event) => (
            <Event key={event.id} event={event} />
          ))}
        </ol>
      )}
      {isFetchNextPageError && <InlineError error={error} />}
      {hasNextPage && (
        <div className="flex justify-center">
          <Button isBusy={isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
            Load older
          </Button>
        </div>
      )}
    </div>
  )
}

function Event({ event: { at, type, by, reason } }: { event: SandboxEvent }) {
  const { title, icon: Icon, colour } = eventWords(type)
  return (
    <li className="flex flex-wrap gap-x-3 gap-y-0.5 border-b border-line px-4 py-2.5 last:border-0">
      <Icon aria-hidden className={cx('mt-0.5 size-4 shrink-0', colour)} />
      <div className="min-w-0 flex-1 basis-48 [overflow-wrap:anywhere]">
        <p>
          <span className="font-medium">{title}</span> <span className="text-muted">{eventBy(by)}</span>
        </p>
        {reason !== undefined && <p className="text-muted">{reason}</p>}
      </div>
      <p className="text-xs text-muted max-sm:w-full max-sm:pl-7 sm:text-right">
        <RelativeTime at={at} />
        <span className="sm:block"> {formatDateTime(at)}</span>
      </p>
    </li>
  )
}
