// What can be done with the files that are selected.
import type { FileEntry } from '@wrenn/sdk'
import { Download, FolderInput, Trash2 } from 'lucide-react'
import { Button } from '../../../ui/button.tsx'
import type { OpenDialog } from './dialogs.tsx'
import { whyNotDownload } from './entry-menu.tsx'

export interface SelectionBarProps {
  entries: readonly FileEntry[]
  onClear: () => void
  onDownload: (entries: readonly FileEntry[]) => void
  onDialog: (dialog: OpenDialog) => void
}

export function SelectionBar({ entries, onClear, onDownload, onDialog }: SelectionBarProps) {
  const reason = entries.map(whyNotDownload).find((each) => each !== undefined)
  return (
    <div
      role="group"
      aria-label="Selection"
      className="flex flex-wrap items-center gap-2 rounded-lg border border-line bg-accent-soft px-3 py-1.5"
    >
      <p role="status" className="mr-auto">
        {entries.length} selected
      </p>
      <Button size="sm" icon={Download} disabledReason={reason} onClick={() => onDownload(entries)}>
        Download
      </Button>
      <Button size="sm" icon={FolderInput} onClick={() => onDialog({ kind: 'move', entries })}>
        Move…
      </Button>
      <Button size="sm" icon={Trash2} onClick={() => onDialog({ kind: 'delete', entries })}>
        Delete…
      </Button>
      <Button size="sm" variant="ghost" onClick={onClear}>
        Clear
      </Button>
    </div>
  )
}
