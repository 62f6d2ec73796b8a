// The team's own labels of a sandbox: pairs, by which the list is filtered, here and in the API.
import { Plus, X } from 'lucide-react'
import { Button } from '../../ui/button.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { TextField } from '../../ui/text-field.tsx'
import type { MetadataRow } from './create-draft.ts'

export interface MetadataFieldsProps {
  rows: readonly MetadataRow[]
  onChange: (rows: readonly MetadataRow[]) => void
  error: string | undefined
}

/** The contract's. */
const mostPairs = 16

export function MetadataFields({ rows, onChange, error }: MetadataFieldsProps) {
  const change = (key: number, part: Partial<MetadataRow>): void =>
    onChange(rows.map((row) => (row.key === key ? { ...row, ...part } : row)))
  const add = (): void =>
    onChange([...rows, { key: Math.max(0, ...rows.map(({ key }) => key)) + 1, name: '', value: '' }])
  return (
    <fieldset data-field="metadata" className="flex min-w-0 flex-col gap-2">
      <legend className="mb-1 font-medium">Metadata</legend>
      {rows.map(({ key, name, value }, at) => (
        <div key={key} className="grid grid-cols-[minmax(0,1fr)_minmax(0,1fr)_auto] gap-2">
          <TextField
            label={`Name ${at + 1}`}
            isLabelHidden
            isMono
            placeholder="name"
            autoComplete="off"
            spellCheck={false}
            value={name}
            onChange={(next) => change(key, { name: next })}
          />
          <TextField
            label={`Value ${at + 1}`}
            isLabelHidden
            isMono
            placeholder="value"
            autoComplete="off"
            spellCheck={false}
            value={value}
            onChange={(next) => change(key, { value: next })}
          />
          <IconButton
            label={`Remove ${name || `pair ${at + 1}`}`}
            icon={X}
            onClick={() => onChange(rows.filter((row) => row.key !== key))}
          />
        </div>
      ))}
      {error !== undefined && (
        <p role="alert" className="text-xs text-danger [overflow-wrap:anywhere]">
          {error}
        </p>
      )}
      <Button
        size="sm"
        icon={Plus}
        onClick={add}
        className="self-start"
        disabledReason={rows.length >= mostPairs ? `At most ${mostPairs} pairs` : undefined}
      >
        Add a pair
      </Button>
    </fieldset>
  )
}
