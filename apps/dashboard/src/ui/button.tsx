// Buttons. One that cannot be pressed says why: with `disabledReason` it stays in the tab order, and its tooltip and
// description say the reason.
import type { LucideIcon } from 'lucide-react'
import { useId, type ComponentPropsWithRef, type ReactNode } from 'react'
import { cx } from '../lib/cx.ts'
import { Spinner } from './spinner.tsx'
import { Tooltip } from './tooltip.tsx'

export type ButtonVariant = 'primary' | 'secondary' | 'ghost' | 'danger'
export type ButtonSize = 'sm' | 'md'

const variants: Readonly<Record<ButtonVariant, string>> = {
  primary: 'border-transparent bg-accent text-on-accent hover:bg-accent-strong',
  secondary: 'border-line bg-surface text-ink hover:bg-hover',
  ghost: 'border-transparent text-ink hover:bg-hover',
  danger: 'border-transparent bg-danger text-on-danger hover:bg-danger-strong',
}

const sizes: Readonly<Record<ButtonSize, string>> = {
  sm: 'h-7 gap-1.5 px-2.5 text-xs',
  md: 'h-8 gap-2 px-3',
}

/** Also for links that look like buttons. */
export function buttonStyle(variant: ButtonVariant, size: ButtonSize, isDisabled = false): string {
  const colours = isDisabled
    ? 'cursor-not-allowed border-line bg-sunken text-muted'
    : cx(variants[variant], 'active:translate-y-px')
  const shape =
    'inline-flex shrink-0 items-center justify-center rounded-md border font-medium whitespace-nowrap'
  return cx(shape, sizes[size], colours)
}

export interface ButtonProps extends Omit<ComponentPropsWithRef<'button'>, 'disabled'> {
  variant?: ButtonVariant
  size?: ButtonSize
  icon?: LucideIcon
  /** Why it cannot be pressed now. */
  disabledReason?: string | undefined
  /** What it does is under way: it cannot be pressed again. */
  isBusy?: boolean
  children: ReactNode
}

export function Button({
  variant = 'secondary',
  size = 'md',
  icon: Icon,
  disabledReason,
  isBusy = false,
  children,
  className,
  onClick,
  type = 'button',
  ...rest
}: ButtonProps) {
  const reasonId = useId()
  const isDisabled = disabledReason !== undefined || isBusy
  const button = (
    <button
      {...rest}
      type={type}
      aria-disabled={isDisabled || undefined}
      aria-busy={isBusy || undefined}
      aria-describedby={disabledReason === undefined ? rest['aria-describedby'] : reasonId}
      onClick={isDisabled ? (event) => event.preventDefault() : onClick}
      className={cx(buttonStyle(variant, size, disabledReason !== undefined), className)}
    >
      {isBusy ? <Spinner /> : Icon && <Icon aria-hidden className="size-4" />}
      {children}
    </button>
  )
  if (disabledReason === undefined) return button
  return (
    <>
      <Tooltip text={disabledReason}>{button}</Tooltip>
      <span id={reasonId} hidden>
        {disabledReason}
      </span>
    </>
  )
}
