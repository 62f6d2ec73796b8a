// A whole number with its unit. Empty is null: the form says what that means.
import { NumberField as Base } from '@base-ui/react/number-field'
import { Minus, Plus } from 'lucide-react'
import { cx } from '../lib/cx.ts'
import { controlStyle, Field, type FieldProps } from './field.tsx'

export interface NumberFieldProps extends FieldProps {
  value: number | null
  onChange: (value: number | null) => void
  min?: number
  max?: number
  step?: number
  /** Shown after the number: "MiB". */
  unit?: string
  isDisabled?: boolean
}

const stepStyle =
  'flex w-8 shrink-0 items-center justify-center border border-control bg-surface text-muted hover:bg-hover hover:text-ink data-disabled:text-muted data-disabled:opacity-50'

export function NumberField({
  value,
  onChange,
  min,
  max,
  step,
  unit,
  isDisabled = false,
  ...field
}: NumberFieldProps) {
  const bounds = {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(step === undefined ? {} : { step }),
  }
  return (
    <Field {...field}>
      <Base.Root {...bounds} value={value} onValueChange={(next) => onChange(next)} disabled={isDisabled}>
        <Base.Group className="flex h-8">
          <Base.Decrement aria-label="Less" className={cx(stepStyle, 'rounded-l-md border-r-0')}>
            <Minus aria-hidden className="size-3.5" />
          </Base.Decrement>
          <span className="relative min-w-0 flex-1">
            <Base.Input className={cx(controlStyle, 'h-8 rounded-none', unit !== undefined && 'pr-12')} />
            {unit !== undefined && (
              <span className="pointer-events-none absolute inset-y-0 right-2.5 flex items-center text-xs text-muted">
                {unit}
              </span>
            )}
          </span>
          <Base.Increment aria-label="More" className={cx(stepStyle, 'rounded-r-md border-l-0')}>
            <Plus aria-hidden className="size-3.5" />
          </Base.Increment>
        </Base.Group>
      </Base.Root>
    </Field>
  )
}
