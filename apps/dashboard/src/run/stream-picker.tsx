// Both streams, or one of them.
import { cx } from '../lib/cx.ts'
import type { StreamChoice } from './output.ts'

const choices: readonly { value: StreamChoice; label: string }[] = [
  { value: 'all', label: 'All' },
  { value: 'stdout', label: 'stdout' },
  { value: 'stderr', label: 'stderr' },
]

export interface StreamPickerProps {
  value: StreamChoice
  onChange: (value: StreamChoice) => void
}

export function StreamPicker({ value, onChange }: StreamPickerProps) {
  return (
    <div role="group" aria-label="Show" className="flex rounded-md border border-line p-px">
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={value === choice.value}
          onClick={() => onChange(choice.value)}
          className={cx(
            'rounded-sm px-2 py-0.5 text-xs',
            value === choice.value ? 'bg-hover font-medium text-ink' : 'text-muted hover:text-ink',
          )}
        >
          {choice.label}
        </button>
      ))}
    </div>
  )
}
