// In place of a file or folder that cannot be shown: it is not there, or reading it failed.
import { WrennError } from '@wrenn/sdk'
import { FolderX } from 'lucide-react'
import { parentOf, visibleText } from '../../../lib/file-paths.ts'
import { EmptyState } from '../../../ui/empty-state.tsx'
import { ErrorState } from '../../../ui/error-state.tsx'
import { LinkButton } from '../../../ui/link-button.tsx'
import { route } from './route.ts'

export function isNotFound(error: unknown): boolean {
  return error instanceof WrennError && error.code === 'not_found'
}

export interface UnreadableProps {
  path: string
  error: unknown
  onRetry: () => void
}

export function Unreadable({ path, error, onRetry }: UnreadableProps) {
  const { id } = route.useParams()
  if (!isNotFound(error)) return <ErrorState title="This could not be read" error={error} onRetry={onRetry} />
  const parent = parentOf(path)
  return (
    <EmptyState
      icon={FolderX}
      title="This is not there"
      action={
        <LinkButton to="/sandboxes/$id/files" params={{ id }} search={{ path: parent }} variant="primary">
          Go to {visibleText(parent)}
        </LinkButton>
      }
    >
      <code className="font-mono text-ink [overflow-wrap:anywhere]">{visibleText(path)}</code> does not exist:
      it was removed or renamed, never was, or is a link that leads nowhere.
    </EmptyState>
  )
}
