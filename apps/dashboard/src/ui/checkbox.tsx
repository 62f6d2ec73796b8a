// A checkbox, alone (in tables, with `ariaLabel`) or with its label beside it.
import { Checkbox as Base } from '@base-ui/react/checkbox'
import { Check, Minus } from 'lucide-react'
import type { ReactNode } from 'react'

interface BoxProps {
  isChecked: boolean
  onChange: (isChecked: boolean) => void
  /** Some of what it stands for, not all. */
  isMixed?: boolean
}

export type CheckboxProps = BoxProps &
  ({ label: ReactNode; ariaLabel?: undefined } | { ariaLabel: string; label?: undefined })

export function Checkbox({ isChecked, onChange, isMixed = false, label, ariaLabel }: CheckboxProps) {
  const box = (
    <Base.Root
      checked={isChecked}
      indeterminate={isMixed}
      onCheckedChange={(next) => onChange(next)}
      {...(ariaLabel === undefined ? {} : { 'aria-label': ariaLabel })}
      className="flex size-4 shrink-0 items-center justify-center rounded-sm border border-control bg-surface data-checked:border-accent data-checked:bg-accent data-indeterminate:border-accent data-indeterminate:bg-accent"
    >
      <Base.Indicator className="text-on-accent">
        {isMixed ? (
          <Minus aria-hidden className="size-3" strokeWidth={3} />
        ) : (
          <Check aria-hidden className="size-3" strokeWidth={3} />
        )}
      </Base.Indicator>
    </Base.Root>
  )
  if (label === undefined) return box
  return (
    <label className="flex items-center gap-2">
      {box}
      <span>{label}</span>
    </label>
  )
}
