// A folder: what is in it, live, and what can be done there.
import { useQuery } from '@tanstack/react-query'
import type { FileEntry } from '@wrenn/sdk'
import { FolderOpen } from 'lucide-react'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { coalesced } from '../../../lib/coalesced.ts'
import { useWrenn } from '../../../session/client.ts'
import { Button } from '../../../ui/button.tsx'
import { CopyAsCurl } from '../../../ui/copy-as-curl.tsx'
import { EmptyState } from '../../../ui/empty-state.tsx'
import { InlineError } from '../../../ui/error-state.tsx'
import { Skeleton } from '../../../ui/skeleton.tsx'
import { arrange } from './arrange.ts'
import { fileCalls } from './calls.ts'
import { FolderDialog, type OpenDialog } from './dialogs.tsx'
import { EntryMenu } from './entry-menu.tsx'
import { FileTable } from './file-table.tsx'
import { FolderBar } from './folder-bar.tsx'
import { isNotFound, Unreadable } from './gone.tsx'
import { LiveState } from './live-state.tsx'
import { PathBar } from './path-bar.tsx'
import { folderQuery } from './queries.ts'
import { route } from './route.ts'
import { SelectionBar } from './selection-bar.tsx'
import { DropArea } from './transfers/drop-area.tsx'
import { useDownload } from './transfers/use-download.ts'
import { useUpload } from './transfers/use-upload.tsx'
import { useWatch } from './use-watch.ts'
import type { ViewOptions } from './view-options.ts'

const refreshPauseMs = 200

export interface FolderViewProps {
  path: string
  view: ViewOptions
  onView: (view: ViewOptions) => void
}

export function FolderView({ path, view, onView }: FolderViewProps) {
  const { id } = route.useParams()
  const folder = useQuery(folderQuery(useWrenn(), id, path))
  const { refetch } = folder
  const refresh = useMemo(() => coalesced(refetch, refreshPauseMs), [refetch])
  useEffect(() => () => refresh.stop(), [refresh])
  const watch = useWatch({ id, path, isOn: true }, refresh.ask)
  const reload = (): void => {
    void refetch()
    watch.restart()
  }
  const [filter, setFilter] = useState('')
  const [dialog, setDialog] = useState<OpenDialog>()
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const all = folder.data
  const shown = useMemo(() => arrange(all ?? [], { ...view, filter }), [all, view, filter])
  const download = useDownload(id)
  const { upload, question } = useUpload({ id, path, entries: all, onChange: refresh.ask })
  const menu = useCallback(
    (entry: FileEntry) => <EntryMenu id={id} entry={entry} onDownload={download} onDialog={setDialog} />,
    [id, download],
  )
  const live = (
    <>
      <LiveState watch={watch} isBusy={folder.isFetching} onReload={reload} />
      <CopyAsCurl call={fileCalls.list(id, path)} />
    </>
  )
  if (folder.error && (isNotFound(folder.error) || !all))
    return (
      <>
        <PathBar path={path}>{live}</PathBar>
        <Unreadable path={path} error={folder.error} onRetry={reload} />
      </>
    )
  if (!all) return <Skeleton label="Loading the folder" rows={6} />
  const chosen = shown.filter((entry) => selected.has(entry.path))
  return (
    <DropArea path={path} onDrop={upload}>
      <PathBar path={path}>{live}</PathBar>
      <FolderBar
        path={path}
        view={view}
        onView={onView}
        filter={filter}
        onFilter={setFilter}
        onDialog={setDialog}
        onUpload={upload}
      />
      {folder.error && <InlineError error={folder.error} />}
      {chosen.length > 0 && (
        <SelectionBar
          entries={chosen}
          onClear={() => setSelected(new Set())}
          onDownload={download}
          onDialog={setDialog}
        />
      )}
      {shown.length > 0 ? (
        <FileTable entries={shown} selection={{ keys: selected, onChange: setSelected }} menu={menu} />
      ) : (
        <Nothing all={all} filter={filter} onShowHidden={() => onView({ ...view, showsHidden: true })} />
      )}
      {dialog && (
        <FolderDialog
          dialog={dialog}
          path={path}
          onClose={() => setDialog(undefined)}
          onChange={refresh.ask}
        />
      )}
      {question}
    </DropArea>
  )
}

interface NothingProps {
  all: readonly FileEntry[]
  filter: string
  onShowHidden: () => void
}

function Nothing({ all, filter, onShowHidden }: NothingProps) {
  if (all.length === 0)
    return (
      <EmptyState icon={FolderOpen} title="This folder is empty">
        Drop files and folders here, or make new ones with the buttons above.
      </EmptyState>
    )
  if (filter.trim() !== '') return <EmptyState icon={FolderOpen} title="Nothing here has such a name" />
  return (
    <EmptyState
      icon={FolderOpen}
      title="There are hidden files only"
      action={<Button onClick={onShowHidden}>Show hidden files</Button>}
    >
      {all.length === 1 ? 'One file or folder begins' : `${all.length} files and folders begin`} with a dot.
    </EmptyState>
  )
}
