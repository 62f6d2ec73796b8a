// What can be done to one entry of a folder.
import type { FileEntry } from '@wrenn/sdk'
import { ClipboardCopy, Download, Ellipsis, FolderInput, PencilLine, Terminal, Trash2 } from 'lucide-react'
import { curlCommand } from '../../../lib/curl.ts'
import { visibleText } from '../../../lib/file-paths.ts'
import { copyText } from '../../../ui/copy-button.tsx'
import { IconButton } from '../../../ui/icon-button.tsx'
import { ActionMenu } from '../../../ui/menu.tsx'
import { fileCalls } from './calls.ts'
import type { OpenDialog } from './dialogs.tsx'

export interface EntryMenuProps {
  id: string
  entry: FileEntry
  onDownload: (entries: readonly FileEntry[]) => void
  onDialog: (dialog: OpenDialog) => void
}

export function EntryMenu({ id, entry, onDownload, onDialog }: EntryMenuProps) {
  const { name, path } = entry
  const isFolder = entry.type === 'directory'
  const call = isFolder ? fileCalls.list(id, path) : fileCalls.read(id, path)
  return (
    <ActionMenu
      trigger={<IconButton icon={Ellipsis} label={`Actions on ${visibleText(name)}`} className="-my-1" />}
      actions={[
        {
          label: 'Download',
          icon: Download,
          onSelect: () => onDownload([entry]),
          disabledReason: whyNotDownload(entry),
        },
        { label: 'Rename…', icon: PencilLine, onSelect: () => onDialog({ kind: 'rename', entry }) },
        { label: 'Move…', icon: FolderInput, onSelect: () => onDialog({ kind: 'move', entries: [entry] }) },
        { label: 'Copy the path', icon: ClipboardCopy, onSelect: () => copyText(path) },
        {
          label: isFolder ? 'Copy the listing as curl' : 'Copy the download as curl',
          icon: Terminal,
          onSelect: () => copyText(curlCommand(call, location.origin)),
        },
        {
          label: 'Delete…',
          icon: Trash2,
          isDangerous: true,
          onSelect: () => onDialog({ kind: 'delete', entries: [entry] }),
        },
      ]}
    />
  )
}

export function whyNotDownload({ type }: FileEntry): string | undefined {
  if (type === 'directory') return 'Folders cannot be downloaded: pack it in the terminal first'
  return type === 'other' ? 'It has no content' : undefined
}
