// Asks before an upload replaces what is there.
import type { FileEntry } from '@wrenn/sdk'
import { useRef } from 'react'
import { visibleText } from '../../../../lib/file-paths.ts'
import { Button } from '../../../../ui/button.tsx'
import { Dialog } from '../../../../ui/dialog.tsx'

export interface ReplaceDialogProps {
  /** What has the same names. */
  taken: readonly FileEntry[]
  /** How many names are free. */
  others: number
  onClose: () => void
  onReplace: () => void
  onSkip: () => void
}

const shownNames = 10

export function ReplaceDialog({ taken, others, onClose, onReplace, onSkip }: ReplaceDialogProps) {
  const cancel = useRef<HTMLButtonElement>(null)
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={taken.length === 1 ? 'Replace what is there?' : `Replace ${taken.length} that are there?`}
      initialFocus={cancel}
      footer={
        <>
          <Button ref={cancel} onClick={onClose}>
            Cancel
          </Button>
          {others > 0 && <Button onClick={onSkip}>Upload the others only</Button>}
          <Button variant="danger" onClick={onReplace}>
            Replace
          </Button>
        </>
      }
    >
      <p>
        This folder has these already. Folders are joined, and files of the same name in them are replaced.
      </p>
      <ul className="mt-2 list-disc pl-5 font-mono text-xs [overflow-wrap:anywhere] whitespace-pre-wrap">
        {taken.slice(0, shownNames).map(({ name, type }) => (
          <li key={name}>
            {visibleText(name)}
            {type === 'directory' && '/'}
          </li>
        ))}
      </ul>
      {taken.length > shownNames && <p className="mt-1 text-muted">and {taken.length - shownNames} more</p>}
    </Dialog>
  )
}
