// The file was changed or removed while it was being edited: says so, and lets the reader choose.
import { TriangleAlert } from 'lucide-react'
import { Button } from '../../../../ui/button.tsx'
import type { Editor } from './use-editor.ts'

export function Conflict({ editor, whyNot }: { editor: Editor; whyNot: string | undefined }) {
  const { conflict, isSaving, load, save } = editor
  if (conflict === undefined) return null
  const isRemoved = conflict === 'removed'
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-md bg-warn-soft px-3 py-2 text-warn"
    >
      <TriangleAlert aria-hidden className="size-4 shrink-0" />
      <p className="min-w-0 flex-1 basis-72">
        {isRemoved
          ? 'This file was removed or renamed in the sandbox. Your text is still here.'
          : 'This file was changed in the sandbox since you opened it. Your text differs from what is there now.'}
      </p>
      {!isRemoved && (
        <Button size="sm" disabledReason={whyNot} onClick={load}>
          Load theirs, drop mine
        </Button>
      )}
      <Button size="sm" isBusy={isSaving} disabledReason={whyNot} onClick={() => save(true)}>
        {isRemoved ? 'Save it again' : 'Overwrite with mine'}
      </Button>
    </div>
  )
}
