// The files of a sandbox.
import { Folder } from 'lucide-react'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useSandbox } from './use-sandbox.ts'

export function FilesTab() {
  const { status } = useSandbox()
  return (
    <EmptyState icon={Folder} title="Files">
      The sandbox is {status}.
    </EmptyState>
  )
}
