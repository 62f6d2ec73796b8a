// Asks before sandboxes are destroyed.
import type { Sandbox } from '@wrenn/sdk'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { callOf } from './actions.ts'

export interface DestroyDialogProps {
  /** One, or many. */
  sandboxes: readonly Sandbox[]
  onClose: () => void
  /** What it throws is shown in the dialog, which stays open then. */
  onConfirm: () => Promise<unknown>
}

export function DestroyDialog({ sandboxes, onClose, onConfirm }: DestroyDialogProps) {
  const [first] = sandboxes
  const isOne = sandboxes.length === 1
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={isOne ? 'Destroy this sandbox?' : `Destroy ${sandboxes.length} sandboxes?`}
      confirmLabel="Destroy"
      onConfirm={onConfirm}
      {...(isOne && first ? { call: callOf('destroy', first.id) } : {})}
    >
      <ul className="mb-2 max-h-40 overflow-y-auto rounded-md bg-sunken px-3 py-2 font-mono text-xs text-ink">
        {sandboxes.map(({ id }) => (
          <li key={id}>{id}</li>
        ))}
      </ul>
      <p>
        {isOne ? 'Its processes end, and its memory and disk are removed.' : null}
        {isOne ? null : 'Their processes end, and their memory and disks are removed.'} This cannot be undone.
      </p>
    </ConfirmDialog>
  )
}
