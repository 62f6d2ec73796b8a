// Templates as a table, with what can be done with each.
import type { Template } from '@wrenn/sdk'
import { Plus, Trash2 } from 'lucide-react'
import { useMemo } from 'react'
import { formatBytes } from '../../lib/format.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { LinkButton } from '../../ui/link-button.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Bytes, RelativeTime } from '../../ui/time.tsx'

const mebibyte = 1_048_576

export interface TemplateTableProps {
  label: string
  templates: readonly Template[]
  onDelete: (name: string) => void
}

export function TemplateTable({ label, templates, onDelete }: TemplateTableProps) {
  const columns = useMemo(() => templateColumns(onDelete), [onDelete])
  return <Table label={label} columns={columns} rows={templates} rowKey={({ name }) => name} />
}

function templateColumns(onDelete: TemplateTableProps['onDelete']): readonly Column<Template>[] {
  return [
    {
      header: 'Name',
      isMain: true,
      cell: ({ name }) => <span className="font-mono text-xs [overflow-wrap:anywhere]">{name}</span>,
    },
    { header: 'Sandbox size', cell: sizeOf },
    { header: 'On disk', isRight: true, cell: ({ size_bytes }) => <Bytes bytes={size_bytes} /> },
    { header: 'Created', cell: ({ created_at }) => <RelativeTime at={created_at} /> },
    {
      header: '',
      label: 'Actions',
      isRight: true,
      cell: (template) => <Actions template={template} onDelete={onDelete} />,
    },
  ]
}

/** A snapshot's is fixed, since its memory is saved; that of a base template is chosen for each sandbox. */
function sizeOf({ vcpus, memory_mb: memoryMib }: Template) {
  if (vcpus === null || memoryMib === null) return <span className="text-muted">as you choose</span>
  return (
    <span className="whitespace-nowrap">
      {vcpus} vCPU · {formatBytes(memoryMib * mebibyte)}
    </span>
  )
}

function Actions({
  template: { name, type },
  onDelete,
}: {
  template: Template
  onDelete: (name: string) => void
}) {
  return (
    <div className="flex items-center justify-end gap-1 max-sm:justify-start">
      <LinkButton
        to="/sandboxes"
        search={{ create: name }}
        size="sm"
        icon={Plus}
        aria-label={`Create sandbox from ${name}`}
      >
        Create sandbox
      </LinkButton>
      <IconButton
        label={`Delete ${name}`}
        icon={Trash2}
        disabledReason={
          type === 'base' ? 'Base templates belong to the platform and cannot be deleted' : undefined
        }
        onClick={() => onDelete(name)}
      />
    </div>
  )
}
