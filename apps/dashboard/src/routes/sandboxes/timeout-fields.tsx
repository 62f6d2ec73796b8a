// After how much idleness something happens to the sandbox, and what.
import { formatDuration } from '../../lib/format.ts'
import { NumberField } from '../../ui/number-field.tsx'
import { Select } from '../../ui/select.tsx'
import { timeoutChoices, unitSeconds, type Draft, type TimeoutChoice, type TimeUnit } from './create-draft.ts'

export interface TimeoutFieldsProps {
  draft: Draft
  onChange: (part: Partial<Draft>) => void
  errors: Readonly<Record<string, string>>
}

/** The contract's. */
const longestSec = 2_592_000
const choices = timeoutChoices.map((value) => ({ value, label: labelOf(value) }))
const unitNames = { s: 'seconds', min: 'minutes', h: 'hours', d: 'days' } as const satisfies Record<
  TimeUnit,
  string
>
const units = (Object.keys(unitSeconds) as TimeUnit[]).map((value) => ({ value, label: unitNames[value] }))
const endings = [
  { value: 'pause', label: 'Pause it', detail: 'Memory, disk and processes are kept.' },
  { value: 'destroy', label: 'Destroy it', detail: 'Nothing of it is kept.' },
] as const

export function TimeoutFields({ draft, onChange, errors }: TimeoutFieldsProps) {
  const isOwn = draft.timeout === 'own'
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-2 gap-3">
        <div data-field={isOwn ? undefined : 'timeout_sec'}>
          <Select
            label="When idle for"
            name="timeout"
            value={draft.timeout}
            onChange={(timeout) => onChange({ timeout })}
            options={choices}
            error={isOwn ? undefined : errors['timeout_sec']}
          />
        </div>
        {draft.timeout !== '0' && (
          <div data-field="on_timeout">
            <Select
              label="Then"
              name="on_timeout"
              value={draft.onTimeout}
              onChange={(onTimeout) => onChange({ onTimeout })}
              options={endings}
              error={errors['on_timeout']}
            />
          </div>
        )}
      </div>
      {isOwn && (
        <div className="grid grid-cols-2 gap-3">
          <div data-field="timeout_sec">
            <NumberField
              label="Idle time"
              name="timeout_sec"
              min={1}
              max={longestSec / unitSeconds[draft.ownUnit]}
              help={`Up to ${formatDuration(longestSec)}`}
              value={draft.ownAmount}
              onChange={(ownAmount) => onChange({ ownAmount })}
              error={errors['timeout_sec']}
            />
          </div>
          <Select
            label="Unit"
            name="unit"
            value={draft.ownUnit}
            onChange={(ownUnit) => onChange({ ownUnit })}
            options={units}
          />
        </div>
      )}
      <p className="text-xs text-muted">
        Commands, terminals, transfers and pings are activity: what is used is not cut off.
      </p>
    </div>
  )
}

function labelOf(choice: TimeoutChoice): string {
  if (choice === '0') return 'Never'
  return choice === 'own' ? 'Another time…' : formatDuration(Number(choice))
}
