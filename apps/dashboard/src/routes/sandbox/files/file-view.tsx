// A file: as text to be edited, or what it is when it is no text or too large for that.
import { useQuery } from '@tanstack/react-query'
import type { FileEntry } from '@wrenn/sdk'
import { Download, FileDigit, FileWarning } from 'lucide-react'
import { useEffect, useMemo } from 'react'
import { coalesced } from '../../../lib/coalesced.ts'
import { parentOf } from '../../../lib/file-paths.ts'
import { formatBytes } from '../../../lib/format.ts'
import { useWrenn } from '../../../session/client.ts'
import { Button } from '../../../ui/button.tsx'
import { CopyAsCurl } from '../../../ui/copy-as-curl.tsx'
import { EmptyState } from '../../../ui/empty-state.tsx'
import { Skeleton } from '../../../ui/skeleton.tsx'
import { NotRunning } from '../not-running.tsx'
import { useSandbox } from '../use-sandbox.ts'
import { fileCalls } from './calls.ts'
import { loadFile, maxEditableBytes } from './editor/content.ts'
import { EditorView } from './editor/editor.tsx'
import { Unreadable } from './gone.tsx'
import { LiveState } from './live-state.tsx'
import { PathBar } from './path-bar.tsx'
import { fileKeys } from './queries.ts'
import { useDownload } from './transfers/use-download.ts'
import { useWatch } from './use-watch.ts'

export interface FileViewProps {
  path: string
  entry: FileEntry
  /** When it was removed since. */
  goneError: Error | undefined
  /** Reads the entry again. */
  onLook: () => Promise<unknown>
}

const lookPauseMs = 200

export function FileView({ path, entry, goneError, onLook }: FileViewProps) {
  const sandbox = useSandbox()
  const { id, status } = sandbox
  const isRunning = status === 'running'
  const { files } = useWrenn().sandboxes
  const content = useQuery({
    queryKey: fileKeys.content(id, path),
    queryFn: ({ signal }) => loadFile(files, { id, path }, signal),
    // Once: afterwards the editor has it, and compares.
    enabled: ({ state }) => isRunning && state.data === undefined,
    gcTime: 0,
  })
  const look = useMemo(() => coalesced(onLook, lookPauseMs), [onLook])
  useEffect(() => () => look.stop(), [look])
  const watch = useWatch({ id, path: parentOf(path), isOn: isRunning }, (change) => {
    if (!change || change.path === path) look.ask()
  })
  const reload = (): void => {
    look.ask()
    watch.restart()
  }
  const download = useDownload(id)
  const isText = content.data?.kind === 'text'
  const buttons = (
    <>
      {isRunning && <LiveState watch={watch} isBusy={false} onReload={reload} />}
      <CopyAsCurl call={isText ? fileCalls.write(id, path) : fileCalls.read(id, path)} />
      <DownloadButton onDownload={() => download([entry])} isMain={!isText} />
    </>
  )
  if (content.data?.kind === 'text')
    return (
      <>
        {!isRunning && (
          <NotRunning sandbox={sandbox} action="files" isSlim>
            What you have typed is kept, and can be saved when it runs.
          </NotRunning>
        )}
        <EditorView path={path} entry={entry} isGone={goneError !== undefined} opened={content.data.base}>
          {buttons}
        </EditorView>
      </>
    )
  if (!isRunning) return <NotRunning sandbox={sandbox} action="files" />
  if (goneError ?? content.error)
    return (
      <>
        <PathBar path={path} />
        <Unreadable path={path} error={goneError ?? content.error} onRetry={() => void content.refetch()} />
      </>
    )
  return (
    <>
      <PathBar path={path}>{buttons}</PathBar>
      {content.isPending ? (
        <Skeleton label="Loading the file" rows={8} />
      ) : (
        <NoText entry={entry} kind={content.data.kind} />
      )}
    </>
  )
}

function DownloadButton({ onDownload, isMain }: { onDownload: () => void; isMain: boolean }) {
  return (
    <Button icon={Download} variant={isMain ? 'primary' : 'secondary'} onClick={onDownload}>
      Download
    </Button>
  )
}

function NoText({ entry: { size }, kind }: { entry: FileEntry; kind: 'large' | 'binary' }) {
  if (kind === 'binary')
    return (
      <EmptyState icon={FileDigit} title="This is no text">
        {formatBytes(size)} that are no UTF-8 text. Download it to look at it.
      </EmptyState>
    )
  return (
    <EmptyState icon={FileWarning} title="This file is too large to be edited here">
      It has {formatBytes(size)}; up to {formatBytes(maxEditableBytes)} can be edited. Download it, or look at
      it in the terminal.
    </EmptyState>
  )
}
