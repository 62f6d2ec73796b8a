// Asks before something that cannot be undone, does it, and stays open with the error when that fails.
import { AlertDialog as Base } from '@base-ui/react/alert-dialog'
import { useMutation } from '@tanstack/react-query'
import { useRef, type ReactNode } from 'react'
import type { ApiCall } from '../lib/curl.ts'
import { cx } from '../lib/cx.ts'
import { Button } from './button.tsx'
import { CopyAsCurl } from './copy-as-curl.tsx'
import { dialogBackdrop, dialogPopup } from './dialog.tsx'
import { InlineError } from './error-state.tsx'

export interface ConfirmDialogProps {
  isOpen: boolean
  onClose: () => void
  /** "Destroy 3 sandboxes?" */
  title: string
  /** What will be lost. */
  children: ReactNode
  /** The verb: "Destroy". */
  confirmLabel: string
  /** Closed when it is done. What it throws is shown. */
  onConfirm: () => Promise<unknown>
  /** The same as a call of the API, to be copied. */
  call?: ApiCall
}

export function ConfirmDialog({
  isOpen,
  onClose,
  title,
  children,
  confirmLabel,
  onConfirm,
  call,
}: ConfirmDialogProps) {
  // Whoever presses Enter without reading loses nothing.
  const cancel = useRef<HTMLButtonElement>(null)
  const confirm = useMutation({ mutationFn: onConfirm, onSuccess: onClose })
  const close = (): void => {
    if (confirm.isPending) return
    confirm.reset()
    onClose()
  }
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && close()}>
      <Base.Portal>
        <Base.Backdrop className={dialogBackdrop} />
        <Base.Popup initialFocus={cancel} className={cx(dialogPopup, 'max-w-md')}>
          <div className="flex min-h-0 flex-col gap-2 overflow-y-auto px-5 py-4">
            <Base.Title className="text-base font-semibold">{title}</Base.Title>
            <Base.Description className="text-muted" render={<div />}>
              {children}
            </Base.Description>
            {confirm.error && <InlineError error={confirm.error} />}
          </div>
          <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">
            {call && (
              <span className="mr-auto -ml-2.5">
                <CopyAsCurl call={call} />
              </span>
            )}
            <Button ref={cancel} onClick={close}>
              Cancel
            </Button>
            <Button variant="danger" isBusy={confirm.isPending} onClick={() => confirm.mutate()}>
              {confirmLabel}
            </Button>
          </footer>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
