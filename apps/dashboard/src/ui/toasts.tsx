// Short notices of what has happened, in a corner. Errors stay until they are closed.
import { Toast } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { describeError } from './describe-error.ts'
import { IconButton } from './icon-button.tsx'

const manager = Toast.createToastManager()
const shownMs = 5_000

export const notify = {
  done(title: string, description?: string): void {
    manager.add({ type: 'done', title, description, timeout: shownMs })
  },
  /** `title`: what has failed ("Could not pause sb-…"). */
  failed(title: string, error: unknown): void {
    const { message, requestId } = describeError(error)
    const description = requestId === undefined ? message : `${message} (request ${requestId})`
    manager.add({ type: 'failed', title, description, timeout: 0, priority: 'high' })
  },
}

export function Toasts() {
  return (
    <Toast.Provider toastManager={manager} limit={5}>
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-4 z-40 flex w-[calc(100vw-2rem)] max-w-96 flex-col gap-2">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function List() {
  const { toasts } = Toast.useToastManager()
  return toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      swipeDirection={['right', 'down']}
      className="rounded-md border border-line bg-surface p-3 shadow-popup data-limited:hidden"
    >
      <Toast.Content className="flex items-start gap-2.5">
        {toast.type === 'failed' ? (
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
        ) : (
          <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" />
        )}
        <div className="min-w-0 flex-1 [overflow-wrap:anywhere]">
          <Toast.Title className="font-medium" render={<p />} />
          <Toast.Description className="text-muted" />
        </div>
        <Toast.Close render={<IconButton label="Dismiss" icon={X} className="-my-1.5 -mr-1.5" />} />
      </Toast.Content>
    </Toast.Root>
  ))
}
