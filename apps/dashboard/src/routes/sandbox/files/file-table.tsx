// The entries of a folder, a page at a time: ten thousand rows at once would be slow to draw, and slow to read.
import { Link } from '@tanstack/react-router'
import type { FileEntry } from '@wrenn/sdk'
import { ChevronLeft, ChevronRight, File, FileSymlink, Folder, Plug } from 'lucide-react'
import { useMemo, useState, type ReactNode } from 'react'
import { visibleText } from '../../../lib/file-paths.ts'
import { Button } from '../../../ui/button.tsx'
import { Table, type Column, type Selection } from '../../../ui/table.tsx'
import { Bytes, RelativeTime } from '../../../ui/time.tsx'
import { route } from './route.ts'

const pageSize = 100

export interface FileTableProps {
  entries: readonly FileEntry[]
  selection: Selection
  /** The menu of a row. Keep it the same. */
  menu: (entry: FileEntry) => ReactNode
}

export function FileTable({ entries, selection, menu }: FileTableProps) {
  const [wanted, setPage] = useState(0)
  const pages = Math.max(1, Math.ceil(entries.length / pageSize))
  const page = Math.min(wanted, pages - 1)
  const columns = useMemo(() => columnsWith(menu), [menu])
  const first = page * pageSize
  const rows = entries.slice(first, first + pageSize)
  return (
    <>
      <Table
        label="Files"
        columns={columns}
        rows={rows}
        rowKey={({ path }) => path}
        rowName={({ name }) => visibleText(name)}
        selection={selection}
      />
      {pages > 1 && (
        <nav aria-label="Pages" className="flex items-center justify-end gap-2">
          <p role="status" className="mr-1 text-muted">
            {first + 1} to {first + rows.length} of {entries.length}
          </p>
          <Button
            size="sm"
            icon={ChevronLeft}
            disabledReason={page === 0 ? 'This is the first page' : undefined}
            onClick={() => setPage(page - 1)}
          >
            Previous
          </Button>
          <Button
            size="sm"
            icon={ChevronRight}
            disabledReason={page === pages - 1 ? 'This is the last page' : undefined}
            onClick={() => setPage(page + 1)}
          >
            Next
          </Button>
        </nav>
      )}
    </>
  )
}

function columnsWith(menu: FileTableProps['menu']): Column<FileEntry>[] {
  return [
    { header: 'Name', isMain: true, cell: (entry) => <EntryName entry={entry} /> },
    {
      header: 'Size',
      isRight: true,
      cell: ({ type, size }) =>
        type === 'file' ? <Bytes bytes={size} /> : <span className="text-muted">–</span>,
    },
    { header: 'Modified', cell: ({ modified_at: at }) => <RelativeTime at={at} /> },
    {
      header: 'Permissions',
      cell: ({ permissions }) => <code className="font-mono text-xs text-muted">{permissions}</code>,
    },
    { header: 'Owner', cell: ({ owner, group }) => (owner === group ? owner : `${owner}:${group}`) },
    { header: '', label: 'Actions', isRight: true, cell: menu },
  ]
}

const icons = { file: File, directory: Folder, symlink: FileSymlink, other: Plug } as const

function EntryName({ entry: { name, path, type, symlink_target: target } }: { entry: FileEntry }) {
  const { id } = route.useParams()
  const Icon = icons[type]
  return (
    <span className="flex min-w-0 items-center gap-2">
      <Icon
        aria-hidden
        className={`size-4 shrink-0 ${type === 'directory' ? 'text-accent' : 'text-muted'}`}
      />
      <span className="min-w-0 [overflow-wrap:anywhere] whitespace-pre-wrap">
        {type === 'other' ? (
          visibleText(name)
        ) : (
          <Link
            to="/sandboxes/$id/files"
            params={{ id }}
            search={{ path }}
            preload={false}
            className="rounded-sm hover:underline"
          >
            {visibleText(name)}
          </Link>
        )}
        {target !== undefined && <span className="text-muted"> → {visibleText(target)}</span>}
      </span>
    </span>
  )
}
