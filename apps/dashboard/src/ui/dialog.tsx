// A dialog over the page: focus stays in it and goes back where it was, Escape and the backdrop close it, unless what it
// shows would be lost.
import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import type { ReactNode, RefObject } from 'react'
import { cx } from '../lib/cx.ts'
import { IconButton } from './icon-button.tsx'

export interface DialogProps {
  isOpen: boolean
  onClose: () => void
  title: string
  description?: ReactNode
  /** Buttons, at the foot; the last is the one that does it. A form's submit button names its form: `form={id}`. */
  footer?: ReactNode
  /** What gets the focus. Default: the first control. */
  initialFocus?: RefObject<HTMLElement | null>
  isWide?: boolean
  /** What it shows is shown once: only a button of the footer closes it. */
  isUnmissable?: boolean
  children: ReactNode
}

export const dialogBackdrop = 'fixed inset-0 z-20 bg-scrim'
export const dialogPopup =
  'fixed top-1/2 left-1/2 z-20 flex max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 flex-col rounded-lg border border-line bg-surface shadow-popup'

export function Dialog({
  isOpen,
  onClose,
  title,
  description,
  footer,
  initialFocus,
  isWide = false,
  isUnmissable = false,
  children,
}: DialogProps) {
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && !isUnmissable && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={dialogBackdrop} />
        <Base.Popup
          {...(initialFocus ? { initialFocus } : {})}
          className={cx(dialogPopup, isWide ? 'max-w-3xl' : 'max-w-md')}
        >
          <header className="flex items-start justify-between gap-4 px-5 pt-4">
            <div>
              <Base.Title className="text-base font-semibold">{title}</Base.Title>
              {description !== undefined && (
                <Base.Description className="mt-0.5 text-muted" render={<div />}>
                  {description}
                </Base.Description>
              )}
            </div>
            {!isUnmissable && (
              <Base.Close render={<IconButton label="Close" icon={X} className="-mt-1 -mr-2" />} />
            )}
          </header>
          <div className="min-h-0 overflow-y-auto px-5 py-4">{children}</div>
          {footer !== undefined && (
            <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">
              {footer}
            </footer>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
