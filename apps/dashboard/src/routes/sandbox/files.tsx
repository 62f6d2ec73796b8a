// The files of a sandbox: the folder or the file at the path in the address. Links are followed: the address then is where
// they lead.
import { useQuery } from '@tanstack/react-query'
import { Navigate } from '@tanstack/react-router'
import { useState } from 'react'
import { resolvePath } from '../../lib/file-paths.ts'
import { useWrenn } from '../../session/client.ts'
import { Skeleton } from '../../ui/skeleton.tsx'
import { FileView } from './files/file-view.tsx'
import { FolderView } from './files/folder-view.tsx'
import { isNotFound, Unreadable } from './files/gone.tsx'
import { PathBar } from './files/path-bar.tsx'
import { entryQuery } from './files/queries.ts'
import { homePath, route } from './files/route.ts'
import { TransferPanel } from './files/transfers/panel.tsx'
import { useTransfers } from './files/transfers/use-transfers.ts'
import type { ViewOptions } from './files/view-options.ts'
import { NotRunning } from './not-running.tsx'
import { useSandbox } from './use-sandbox.ts'

export function FilesTab() {
  const { id } = useSandbox()
  const { path: given = homePath } = route.useSearch()
  const path = resolvePath('/', given)
  const transfers = useTransfers(id)
  // Kept from folder to folder.
  const [view, setView] = useState<ViewOptions>({ sortBy: 'name', showsHidden: false })
  return (
    <div className="flex flex-col gap-3">
      <Content key={path} path={path} view={view} onView={setView} />
      <TransferPanel transfers={transfers} />
    </div>
  )
}

interface ContentProps {
  path: string
  view: ViewOptions
  onView: (view: ViewOptions) => void
}

function Content({ path, view, onView }: ContentProps) {
  const sandbox = useSandbox()
  const isRunning = sandbox.status === 'running'
  const entry = useQuery({ ...entryQuery(useWrenn(), sandbox.id, path), enabled: isRunning })
  // What is being edited stays, whatever becomes of the sandbox.
  if (entry.data?.type === 'file' && entry.data.path === path)
    return (
      <FileView
        path={path}
        entry={entry.data}
        goneError={entry.error && isNotFound(entry.error) ? entry.error : undefined}
        onLook={entry.refetch}
      />
    )
  if (!isRunning)
    return (
      <NotRunning sandbox={sandbox} action="files">
        Its files are shown when it runs.
      </NotRunning>
    )
  if (entry.isPending) return <Skeleton label="Loading the files" rows={6} />
  if (entry.error)
    return (
      <>
        <PathBar path={path} />
        <Unreadable path={path} error={entry.error} onRetry={() => void entry.refetch()} />
      </>
    )
  if (entry.data.path !== path)
    return (
      <Navigate
        to="/sandboxes/$id/files"
        params={{ id: sandbox.id }}
        search={{ path: entry.data.path }}
        replace
      />
    )
  if (entry.data.type === 'directory') return <FolderView path={path} view={view} onView={onView} />
  return (
    <>
      <PathBar path={path} />
      <NoFile permissions={entry.data.permissions} />
    </>
  )
}

function NoFile({ permissions }: { permissions: string }) {
  return (
    <p className="rounded-lg border border-line bg-surface px-4 py-3 text-muted">
      This is a device, a FIFO or a socket (<code className="font-mono text-ink">{permissions}</code>): it has
      no content to show. Use the terminal.
    </p>
  )
}
