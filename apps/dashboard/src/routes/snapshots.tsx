// /snapshots: what sandboxes are made from: the team's snapshots and the base templates. Live.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Template } from '@wrenn/sdk'
import { Layers } from 'lucide-react'
import { useState } from 'react'
import { templatesQuery } from '../data/queries.ts'
import { Page } from '../layout/page.tsx'
import { applyEvent } from '../live/events.ts'
import { useWrenn } from '../session/client.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { EmptyState } from '../ui/empty-state.tsx'
import { ErrorState } from '../ui/error-state.tsx'
import { LinkButton } from '../ui/link-button.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { notify } from '../ui/toasts.tsx'
import { TemplateTable } from './snapshots/template-table.tsx'

export function SnapshotsPage() {
  const templates = useQuery(templatesQuery(useWrenn()))
  const [deleting, setDeleting] = useState<string>()
  return (
    <Page
      title="Snapshots"
      description="What sandboxes are made from: your team's snapshots, and base templates."
    >
      {templates.isPending && <Skeleton label="Loading the snapshots" />}
      {templates.error && (
        <ErrorState
          title="The snapshots could not be loaded"
          error={templates.error}
          onRetry={() => void templates.refetch()}
        />
      )}
      {templates.data && <Templates all={templates.data} onDelete={setDeleting} />}
      <DeleteDialog name={deleting} onClose={() => setDeleting(undefined)} />
    </Page>
  )
}

interface TemplatesProps {
  all: readonly Template[]
  onDelete: (name: string) => void
}

function Templates({ all, onDelete }: TemplatesProps) {
  const snapshots = all.filter(({ type }) => type === 'snapshot')
  const base = all.filter(({ type }) => type === 'base')
  return (
    <>
      {snapshots.length === 0 ? (
        <EmptyState
          icon={Layers}
          title="No snapshots yet"
          action={<LinkButton to="/sandboxes">Go to the sandboxes</LinkButton>}
        >
          A snapshot is a sandbox that was saved with its disk, its memory and all that runs in it. Set up a
          sandbox once, choose <strong className="font-medium text-ink">Snapshot</strong> there, and make as
          many from it as you like. The sandbox itself ends with it.
        </EmptyState>
      ) : (
        <TemplateTable label="Snapshots" templates={snapshots} onDelete={onDelete} />
      )}
      <h2 className="mt-4 text-base font-semibold tracking-tight">Base templates</h2>
      <TemplateTable label="Base templates" templates={base} onDelete={onDelete} />
    </>
  )
}

function DeleteDialog({ name, onClose }: { name: string | undefined; onClose: () => void }) {
  const wrenn = useWrenn()
  const queries = useQueryClient()
  const remove = async (): Promise<void> => {
    if (name === undefined) return
    await wrenn.snapshots.delete(name)
    applyEvent(queries, { type: 'template_deleted', name })
    notify.done(`Deleted ${name}`)
  }
  return (
    <ConfirmDialog
      isOpen={name !== undefined}
      onClose={onClose}
      title={`Delete ${name}?`}
      confirmLabel="Delete"
      onConfirm={remove}
      call={{ method: 'DELETE', path: `/v1/snapshots/${encodeURIComponent(name ?? '')}` }}
    >
      Nothing more can be made from it. Sandboxes that were made from it live on, and its space on disk is
      free when the last of them is gone.
    </ConfirmDialog>
  )
}
