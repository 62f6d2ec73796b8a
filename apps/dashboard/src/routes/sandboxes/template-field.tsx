// From what a sandbox is made: base templates, and the team's snapshots.
import type { UseQueryResult } from '@tanstack/react-query'
import type { Template } from '@wrenn/sdk'
import type { Ref } from 'react'
import { formatBytes } from '../../lib/format.ts'
import { sizeText } from '../../sandboxes/facts.tsx'
import { Button } from '../../ui/button.tsx'
import { InlineError } from '../../ui/error-state.tsx'
import { Select } from '../../ui/select.tsx'

export interface TemplateFieldProps {
  value: string
  onChange: (name: string) => void
  templates: UseQueryResult<Template[]>
  error: string | undefined
  ref: Ref<HTMLButtonElement>
}

export function TemplateField({ value, onChange, templates, error, ref }: TemplateFieldProps) {
  const known = templates.data ?? []
  const options = known.map((template) => ({
    value: template.name,
    label: template.name,
    detail: detailOf(template),
  }))
  // A link may name what has been deleted, and the list may not be there: the server decides.
  const isKnown = known.some(({ name }) => name === value)
  const unknown = !isKnown && value !== '' ? [{ value, label: value }] : []
  const isGone = templates.data !== undefined && !isKnown
  return (
    <div data-field="template" className="flex flex-col gap-2">
      <Select
        ref={ref}
        label="Template"
        name="template"
        value={value}
        onChange={onChange}
        options={[...options, ...unknown]}
        help={templates.isPending ? 'Loading the templates…' : undefined}
        error={error ?? (isGone ? `There is no template ${value}: choose another` : undefined)}
      />
      {templates.error && (
        <div className="flex flex-col items-start gap-2">
          <InlineError error={templates.error} />
          <Button size="sm" onClick={() => void templates.refetch()}>
            Load the templates again
          </Button>
        </div>
      )}
    </div>
  )
}

function detailOf({ type, vcpus, memory_mb: memoryMib, size_bytes: sizeBytes }: Template): string {
  if (type === 'base' || vcpus === null || memoryMib === null)
    return `Base template, ${formatBytes(sizeBytes)}`
  return `Snapshot, ${sizeText({ vcpus, memoryMib })}`
}
