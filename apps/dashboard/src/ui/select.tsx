// One of a few. With very many, or with free text, it is the wrong control.
import { Select as Base } from '@base-ui/react/select'
import { Check, ChevronDown } from 'lucide-react'
import type { Ref } from 'react'
import { cx } from '../lib/cx.ts'
import { controlStyle, Field, type FieldProps } from './field.tsx'

interface SelectOption<Value extends string> {
  value: Value
  label: string
  /** A second line, in small. */
  detail?: string
}

export interface SelectProps<Value extends string> extends FieldProps {
  value: Value
  onChange: (value: Value) => void
  options: readonly SelectOption<Value>[]
  isDisabled?: boolean
  /** Of the button that opens the list, to focus it. */
  ref?: Ref<HTMLButtonElement>
}

export function Select<Value extends string>({
  value,
  onChange,
  options,
  isDisabled = false,
  ref,
  ...field
}: SelectProps<Value>) {
  return (
    <Field {...field}>
      <Base.Root
        items={options}
        value={value}
        onValueChange={(next) => {
          if (next !== null) onChange(next)
        }}
        disabled={isDisabled}
      >
        <Base.Trigger
          ref={ref}
          className={cx(
            controlStyle,
            'flex h-8 items-center justify-between gap-2 text-left data-disabled:cursor-not-allowed data-disabled:bg-sunken data-disabled:text-muted',
          )}
        >
          <Base.Value className="truncate" />
          <ChevronDown aria-hidden className="size-4 shrink-0 text-muted" />
        </Base.Trigger>
        <Base.Portal>
          <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-30">
            <Base.Popup className="max-h-(--available-height) min-w-(--anchor-width) overflow-y-auto rounded-md border border-line bg-surface p-1 shadow-popup">
              {options.map(({ value, label, detail }) => (
                <Base.Item
                  key={value}
                  value={value}
                  className="flex cursor-default items-center gap-2 rounded-sm px-2 py-1.5 data-highlighted:bg-hover"
                >
                  <span className="flex-1">
                    <Base.ItemText>{label}</Base.ItemText>
                    {detail !== undefined && <span className="block text-xs text-muted">{detail}</span>}
                  </span>
                  <Base.ItemIndicator>
                    <Check aria-hidden className="size-4" />
                  </Base.ItemIndicator>
                </Base.Item>
              ))}
            </Base.Popup>
          </Base.Positioner>
        </Base.Portal>
      </Base.Root>
    </Field>
  )
}
