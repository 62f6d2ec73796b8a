// An error in the place of what should be there, with what can be done about it; and a smaller one, beside a form.
import { CircleAlert, RotateCw } from 'lucide-react'
import { Button } from './button.tsx'
import { describeError } from './describe-error.ts'

export interface ErrorStateProps {
  /** "The sandboxes could not be loaded" */
  title: string
  error: unknown
  onRetry?: () => void
}

export function ErrorState({ title, error, onRetry }: ErrorStateProps) {
  const { message, requestId } = describeError(error)
  return (
    <div
      role="alert"
      className="flex flex-col items-center gap-2 rounded-lg border border-line bg-surface px-6 py-12 text-center"
    >
      <CircleAlert aria-hidden className="size-6 text-danger" />
      <p className="text-base font-medium">{title}</p>
      <p className="max-w-prose text-muted [overflow-wrap:anywhere]">{message}</p>
      {requestId !== undefined && <RequestId id={requestId} />}
      {onRetry && (
        <Button icon={RotateCw} onClick={onRetry} className="mt-2">
          Try again
        </Button>
      )}
    </div>
  )
}

export function InlineError({ error }: { error: unknown }) {
  const { message, requestId } = describeError(error)
  return (
    <div role="alert" className="flex gap-2 rounded-md bg-danger-soft px-3 py-2 text-danger">
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 [overflow-wrap:anywhere]">
        <p>{message}</p>
        {requestId !== undefined && <RequestId id={requestId} />}
      </div>
    </div>
  )
}

function RequestId({ id }: { id: string }) {
  return (
    <p className="text-xs">
      Request <code className="font-mono select-all">{id}</code>
    </p>
  )
}
