// The columns of the list of sandboxes.
import { Menu } from '@base-ui/react/menu'
import { Link } from '@tanstack/react-router'
import type { Sandbox } from '@wrenn/sdk'
import { Ellipsis } from 'lucide-react'
import { Idle, MetadataChips, SandboxStatusBadge, sizeText, timeoutText } from '../../sandboxes/facts.tsx'
import { useSandboxActions } from '../../sandboxes/sandbox-actions.tsx'
import type { Column } from '../../ui/table.tsx'
import { RelativeTime } from '../../ui/time.tsx'

/** `menu`: is opened with the id of a row. */
export function sandboxColumns(menu: Menu.Handle<string>): readonly Column<Sandbox>[] {
  return [
    { header: 'Sandbox', isMain: true, cell: (sandbox) => <NameCell sandbox={sandbox} /> },
    { header: 'Status', cell: (sandbox) => <StatusCell sandbox={sandbox} /> },
    { header: 'Template and size', cell: (sandbox) => <TemplateCell sandbox={sandbox} /> },
    { header: 'Created', cell: ({ created_at: at }) => <RelativeTime at={at} /> },
    { header: 'Idle', cell: (sandbox) => <Idle sandbox={sandbox} /> },
    {
      header: 'Timeout',
      cell: (sandbox) => <span className="whitespace-nowrap">{timeoutText(sandbox)}</span>,
    },
    {
      header: '',
      label: 'Actions',
      isRight: true,
      cell: ({ id }) => (
        <Menu.Trigger
          handle={menu}
          payload={id}
          aria-label={`Actions on ${id}`}
          title="Actions"
          className="inline-flex size-8 max-sm:absolute max-sm:right-2 max-sm:bottom-2 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink"
        >
          <Ellipsis aria-hidden className="size-4" />
        </Menu.Trigger>
      ),
    },
  ]
}

/** In a row; the page of the sandbox has them all. */
const shownPairs = 4

function NameCell({ sandbox: { id, metadata } }: { sandbox: Sandbox }) {
  return (
    <div className="flex flex-col items-start gap-1">
      <Link
        to="/sandboxes/$id"
        params={{ id }}
        className="font-mono text-xs font-medium whitespace-nowrap hover:text-accent hover:underline"
      >
        {id}
      </Link>
      <MetadataChips metadata={metadata} most={shownPairs} />
    </div>
  )
}

function TemplateCell({ sandbox: { template, vcpus, memory_mb: memoryMib } }: { sandbox: Sandbox }) {
  return (
    <div>
      <div title={template} className="max-w-40 truncate max-sm:max-w-60">
        {template}
      </div>
      <div className="text-xs whitespace-nowrap text-muted">{sizeText({ vcpus, memoryMib })}</div>
    </div>
  )
}

function StatusCell({ sandbox }: { sandbox: Sandbox }) {
  const { pending } = useSandboxActions()
  const { status_reason: reason } = sandbox
  return (
    <div className="flex flex-col items-start gap-0.5">
      <SandboxStatusBadge sandbox={sandbox} pending={pending.get(sandbox.id)} />
      {reason !== undefined && (
        <span title={reason} className="line-clamp-2 max-w-56 text-xs text-balance text-muted">
          {reason}
        </span>
      )}
    </div>
  )
}
