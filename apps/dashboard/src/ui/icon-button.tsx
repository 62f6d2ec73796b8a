// A button with an icon only: its label is its accessible name and its tooltip.
import type { LucideIcon } from 'lucide-react'
import { useId, type ComponentPropsWithRef } from 'react'
import { cx } from '../lib/cx.ts'
import { Tooltip } from './tooltip.tsx'

export interface IconButtonProps extends Omit<ComponentPropsWithRef<'button'>, 'disabled' | 'children'> {
  label: string
  icon: LucideIcon
  /** Why it cannot be pressed now. */
  disabledReason?: string | undefined
}

export function IconButton({
  label,
  icon: Icon,
  disabledReason,
  className,
  onClick,
  ...rest
}: IconButtonProps) {
  const reasonId = useId()
  const isDisabled = disabledReason !== undefined
  return (
    <>
      <Tooltip text={disabledReason ?? label}>
        <button
          {...rest}
          type="button"
          aria-label={label}
          aria-disabled={isDisabled || undefined}
          aria-describedby={isDisabled ? reasonId : rest['aria-describedby']}
          onClick={isDisabled ? (event) => event.preventDefault() : onClick}
          className={cx(
            'inline-flex size-8 shrink-0 items-center justify-center rounded-md',
            isDisabled
              ? 'cursor-not-allowed text-muted opacity-60'
              : 'text-muted hover:bg-hover hover:text-ink',
            className,
          )}
        >
          <Icon aria-hidden className="size-4" />
        </button>
      </Tooltip>
      {isDisabled && (
        <span id={reasonId} hidden>
          {disabledReason}
        </span>
      )}
    </>
  )
}
