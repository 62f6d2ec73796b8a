// Transfers: how all of them are going, and each of those that matter now.
import { CircleAlert, CircleCheck, Download, Upload, X } from 'lucide-react'
import { visibleText } from '../../../../lib/file-paths.ts'
import { formatBytes } from '../../../../lib/format.ts'
import { Button } from '../../../../ui/button.tsx'
import { describeError } from '../../../../ui/describe-error.ts'
import { IconButton } from '../../../../ui/icon-button.tsx'
import { ProgressBar } from '../../../../ui/progress-bar.tsx'
import { summarise } from './summary.ts'
import type { Transfer, Transfers } from './transfers.ts'
import { useAllTransfers } from './use-transfers.ts'

/** Of thousands, a few lines are read. */
const shownLines = 8

export function TransferPanel({ transfers }: { transfers: Transfers }) {
  const all = useAllTransfers(transfers)
  if (all.length === 0) return null
  const { isUnderWay, text, progress, failed } = summarise(all)
  // What has failed or is going on; what is done, or waits, is in the sum.
  const lines = [
    ...all.filter(({ state }) => state === 'failed'),
    ...all.filter(({ state }) => state === 'active'),
  ]
  return (
    <section
      aria-label="Transfers"
      className="sticky bottom-3 z-10 rounded-lg border border-line bg-surface shadow-popup"
    >
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5">
        {!isUnderWay &&
          (failed > 0 ? (
            <CircleAlert aria-hidden className="size-4 text-danger" />
          ) : (
            <CircleCheck aria-hidden className="size-4 text-ok" />
          ))}
        {/* Said at the end, not at every step. */}
        <p role="status" aria-live={isUnderWay ? 'off' : 'polite'} className="min-w-0 flex-1 font-medium">
          {text}
        </p>
        {isUnderWay && (
          <Button size="sm" onClick={() => transfers.cancelAll()}>
            Cancel all
          </Button>
        )}
        {failed > 0 && !isUnderWay && (
          <Button size="sm" onClick={() => transfers.retryFailed()}>
            Try the failed again
          </Button>
        )}
        {!isUnderWay && (
          <Button size="sm" variant="ghost" onClick={() => transfers.clear()}>
            Dismiss
          </Button>
        )}
      </header>
      {isUnderWay && (
        <div className="px-4 pb-3">
          <ProgressBar label="All transfers" value={progress} />
        </div>
      )}
      {lines.length > 0 && (
        <ul className="border-t border-line px-4 py-1.5">
          {lines.slice(0, shownLines).map((transfer) => (
            <Line key={transfer.id} transfer={transfer} onCancel={() => transfers.cancel(transfer.id)} />
          ))}
          {lines.length > shownLines && (
            <li className="py-1 text-muted">and {lines.length - shownLines} more</li>
          )}
        </ul>
      )}
    </section>
  )
}

function Line({ transfer, onCancel }: { transfer: Transfer; onCancel: () => void }) {
  const { kind, name, sizeBytes, doneBytes, state, error } = transfer
  const Icon = kind === 'upload' ? Upload : Download
  return (
    <li className="flex min-h-8 items-center gap-2.5">
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      <span className="min-w-0 flex-1 [overflow-wrap:anywhere] whitespace-pre-wrap">
        {visibleText(name)}
        {state === 'failed' && <Failure error={error} />}
      </span>
      {state === 'active' && (
        <>
          <span className="text-xs whitespace-nowrap text-muted max-sm:hidden">
            {formatBytes(doneBytes)} of {formatBytes(sizeBytes)}
          </span>
          <span className="w-24 shrink-0">
            <ProgressBar label={name} value={sizeBytes === 0 ? 0 : doneBytes / sizeBytes} />
          </span>
          <IconButton icon={X} label={`Cancel ${name}`} onClick={onCancel} />
        </>
      )}
    </li>
  )
}

function Failure({ error }: { error: unknown }) {
  const { message, requestId } = describeError(error)
  return (
    <span className="block text-xs text-danger">
      {message}
      {requestId !== undefined && ` (request ${requestId})`}
    </span>
  )
}
