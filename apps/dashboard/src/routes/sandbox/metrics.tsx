// CPU, memory and disk, live.
import { Activity } from 'lucide-react'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useSandbox } from './use-sandbox.ts'

export function MetricsTab() {
  const { status } = useSandbox()
  return (
    <EmptyState icon={Activity} title="Metrics">
      The sandbox is {status}.
    </EmptyState>
  )
}
