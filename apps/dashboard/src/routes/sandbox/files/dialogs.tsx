// The dialogs of a folder: what to make, rename, move or delete.
import type { FileEntry, Files } from '@wrenn/sdk'
import { joinPath, nameProblem, parentOf, resolvePath, visibleText } from '../../../lib/file-paths.ts'
import { useWrenn } from '../../../session/client.ts'
import { ConfirmDialog } from '../../../ui/confirm-dialog.tsx'
import { fileCalls } from './calls.ts'
import { forEachFile } from './for-each-file.ts'
import { isNotFound } from './gone.tsx'
import { NameDialog } from './name-dialog.tsx'
import { route } from './route.ts'

export type OpenDialog =
  | { kind: 'new-file' | 'new-folder' }
  | { kind: 'rename'; entry: FileEntry }
  | { kind: 'move' | 'delete'; entries: readonly FileEntry[] }

export interface FolderDialogProps {
  dialog: OpenDialog
  /** The folder. */
  path: string
  onClose: () => void
  /** What is in the folder may have changed. */
  onChange: () => void
}

export function FolderDialog({ dialog, ...common }: FolderDialogProps) {
  switch (dialog.kind) {
    case 'new-file':
      return <NewFileDialog {...common} />
    case 'new-folder':
      return <NewFolderDialog {...common} />
    case 'rename':
      return <RenameDialog {...common} entry={dialog.entry} />
    case 'move':
      return <MoveDialog {...common} entries={dialog.entries} />
    case 'delete':
      return <DeleteDialog {...common} entries={dialog.entries} />
  }
  return dialog satisfies never
}

type DialogProps = Omit<FolderDialogProps, 'dialog'>
type SeveralProps = DialogProps & { entries: readonly FileEntry[] }

/** `onChange` also when it failed: some of it may have happened. */
function useFiles({ onChange }: DialogProps) {
  const { files } = useWrenn().sandboxes
  const { id } = route.useParams()
  const changing = (work: Promise<unknown>): Promise<unknown> => work.finally(onChange)
  return { files, id, changing }
}

function NewFileDialog(props: DialogProps) {
  const { path, onClose } = props
  const { files, id, changing } = useFiles(props)
  const navigate = route.useNavigate()
  return (
    <NameDialog
      title="New file"
      label="Name"
      confirmLabel="Create"
      problem={nameProblem}
      call={(name) => fileCalls.write(id, joinPath(path, name))}
      onSubmit={async (name) => {
        await changing(createFile(files, id, joinPath(path, name)))
        await navigate({ search: { path: joinPath(path, name) } })
      }}
      onClose={onClose}
    />
  )
}

function NewFolderDialog(props: DialogProps) {
  const { path, onClose } = props
  const { files, id, changing } = useFiles(props)
  return (
    <NameDialog
      title="New folder"
      label="Name"
      confirmLabel="Create"
      problem={nameProblem}
      call={(name) => fileCalls.mkdir(id, joinPath(path, name))}
      onSubmit={(name) => changing(files.mkdir(id, joinPath(path, name)))}
      onClose={onClose}
    />
  )
}

function RenameDialog({ entry, ...props }: DialogProps & { entry: FileEntry }) {
  const { files, id, changing } = useFiles(props)
  const target = (name: string): string => joinPath(parentOf(entry.path), name)
  return (
    <NameDialog
      title={`Rename ${visibleText(entry.name)}`}
      label="Name"
      initial={entry.name}
      confirmLabel="Rename"
      problem={(name) => (name === entry.name ? 'This is its name already' : nameProblem(name))}
      call={(name) => fileCalls.move(id, entry.path, target(name))}
      onSubmit={(name) => changing(files.move(id, entry.path, target(name)))}
      onClose={props.onClose}
    />
  )
}

function MoveDialog({ entries, ...props }: SeveralProps) {
  const { path, onClose } = props
  const { files, id, changing } = useFiles(props)
  const target = (folder: string, name: string): string => joinPath(resolvePath(path, folder), name)
  const call = (folder: string) => {
    const { path: source = path, name = '' } = entries[0] ?? {}
    return fileCalls.move(id, source, target(folder, name))
  }
  return (
    <NameDialog
      title={`Move ${countText(entries)}`}
      label="To the folder"
      initial={path}
      help="Made when it is not there. Nothing in it is replaced."
      confirmLabel="Move"
      problem={(folder) => (folder.trim() === '' ? 'Enter the path of a folder' : undefined)}
      call={call}
      onSubmit={(folder) =>
        changing(
          forEachFile('moved', entries, (entry) => files.move(id, entry.path, target(folder, entry.name))),
        )
      }
      onClose={onClose}
    />
  )
}

function DeleteDialog({ entries, ...props }: SeveralProps) {
  const { files, id, changing } = useFiles(props)
  const remove = async (entry: FileEntry): Promise<void> => {
    try {
      await files.remove(id, entry.path)
    } catch (error) {
      // Somebody else was faster: it is gone, as was asked for.
      if (!isNotFound(error)) throw error
    }
  }
  const [first] = entries
  return (
    <ConfirmDialog
      isOpen
      onClose={props.onClose}
      title={`Delete ${countText(entries)}?`}
      confirmLabel="Delete"
      {...(entries.length === 1 && first ? { call: fileCalls.remove(id, first.path) } : {})}
      onConfirm={() => changing(forEachFile('deleted', entries, remove))}
    >
      {entries.some(({ type }) => type === 'directory') && 'Folders are deleted with all that is in them. '}
      This cannot be undone.
    </ConfirmDialog>
  )
}

/** Its name, or how many. */
function countText(entries: readonly FileEntry[]): string {
  const [first] = entries
  return entries.length === 1 && first ? visibleText(first.name) : `${entries.length} files and folders`
}

/** Empty. A write would replace what is there. */
async function createFile(files: Files, id: string, path: string): Promise<void> {
  const there = await files.stat(id, path).catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw error
  })
  if (there) throw new Error('There is something of this name already')
  await files.write(id, path, '')
}
