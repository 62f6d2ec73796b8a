// Edits a text file.
import type { FileEntry } from '@wrenn/sdk'
import { whySandboxCannot } from '@wrenn/contract/sandbox-can'
import { Save } from 'lucide-react'
import type { ReactNode } from 'react'
import { visibleText } from '../../../../lib/file-paths.ts'
import { Badge } from '../../../../ui/badge.tsx'
import { Button } from '../../../../ui/button.tsx'
import { InlineError } from '../../../../ui/error-state.tsx'
import { Bytes, RelativeTime } from '../../../../ui/time.tsx'
import { useSandbox } from '../../use-sandbox.ts'
import { PathBar } from '../path-bar.tsx'
import { Conflict } from './conflict.tsx'
import { stampOf, type Base } from './content.ts'
import { LeaveGuard } from './leave-guard.tsx'
import { CodeArea } from './text-area.tsx'
import { useEditor } from './use-editor.ts'

export interface EditorViewProps {
  path: string
  entry: FileEntry
  /** It was removed since. */
  isGone: boolean
  opened: Base
  /** Buttons beside "Save". */
  children: ReactNode
}

export function EditorView({ path, entry, isGone, opened, children }: EditorViewProps) {
  const { id, status } = useSandbox()
  const editor = useEditor({ id, path, opened, latest: isGone ? undefined : stampOf(entry) })
  const { text, type, base, isDirty, isSaving, save, error } = editor
  const whyNot = whySandboxCannot('files', status, 'The sandbox')
  const trySave = (): void => {
    if (whyNot === undefined && editor.conflict === undefined) save()
  }
  return (
    <>
      <PathBar path={path}>
        {isDirty && <Badge tone="warn">not saved</Badge>}
        {children}
        <Button
          icon={Save}
          variant="primary"
          isBusy={isSaving}
          disabledReason={whyNot ?? whyNotSave(editor)}
          onClick={trySave}
        >
          Save
        </Button>
      </PathBar>
      <Conflict editor={editor} whyNot={whyNot} />
      {error && <InlineError error={error} />}
      <CodeArea label={`Content of ${visibleText(path)}`} value={text} onChange={type} onSave={trySave} />
      <ul aria-label="About the file" className="flex flex-wrap gap-x-4 gap-y-0.5 text-xs text-muted">
        <li>
          <Bytes bytes={entry.size} />
        </li>
        <li>
          modified <RelativeTime at={entry.modified_at} />
        </li>
        <li className="font-mono">{entry.permissions}</li>
        <li>
          {entry.owner}:{entry.group}
        </li>
        <li>{lineEndWords[base.lineEnds]}</li>
      </ul>
      <LeaveGuard isDirty={isDirty} onDiscard={editor.discard} />
    </>
  )
}

const lineEndWords = {
  lf: 'UTF-8, lines end with LF',
  crlf: 'UTF-8, lines end with CR LF',
  mixed: 'UTF-8, lines end in different ways: saved, they end with LF',
} as const

function whyNotSave({
  isDirty,
  conflict,
}: {
  isDirty: boolean
  conflict: string | undefined
}): string | undefined {
  if (conflict !== undefined) return 'Choose first what becomes of the change in the sandbox'
  return isDirty ? undefined : 'Nothing has changed'
}
