// Everything that is known about a sandbox.
import { Info } from 'lucide-react'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useSandbox } from './use-sandbox.ts'

export function DetailsTab() {
  const { status } = useSandbox()
  return (
    <EmptyState icon={Info} title="Details">
      The sandbox is {status}.
    </EmptyState>
  )
}
