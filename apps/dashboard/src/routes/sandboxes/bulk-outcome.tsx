// How an action on many goes, and in the end how it went for each: "3 paused, 1 could not be", with the reasons.
import { X } from 'lucide-react'
import { actionWords } from '../../sandboxes/actions.ts'
import { describeError } from '../../ui/describe-error.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { Spinner } from '../../ui/spinner.tsx'
import type { Bulk } from './use-bulk.ts'

export interface BulkOutcomeProps {
  bulk: Bulk
  isRunning: boolean
  onDismiss: () => void
}

export function BulkOutcome({ bulk, isRunning, onDismiss }: BulkOutcomeProps) {
  const { failed } = bulk
  return (
    <div className="flex max-w-xl min-w-64 items-start gap-2 rounded-md bg-sunken px-3 py-2">
      {isRunning && <Spinner />}
      <div className="min-w-0 flex-1">
        <p role="status" className="font-medium">
          {sentence(bulk, isRunning)}
        </p>
        {failed.length > 0 && (
          <ul aria-label="Could not be" className="mt-1 flex max-h-32 flex-col gap-1 overflow-y-auto">
            {failed.map(({ id, error }) => (
              <li key={id} className="text-xs [overflow-wrap:anywhere]">
                <span className="font-mono">{id}</span>: {describeError(error).message}
              </li>
            ))}
          </ul>
        )}
      </div>
      {!isRunning && (
        <IconButton label="Dismiss the outcome" icon={X} onClick={onDismiss} className="-my-1.5 -mr-1.5" />
      )}
    </div>
  )
}

function sentence({ action, total, done, failed }: Bulk, isRunning: boolean): string {
  const { done: word } = actionWords[action]
  if (isRunning) return `${done.length + failed.length} of ${total}…`
  const parts = [
    ...(done.length > 0 ? [`${done.length} ${word}`] : []),
    ...(failed.length > 0 ? [`${failed.length} could not`] : []),
  ]
  return parts.join(', ')
}
