// What has happened to a sandbox.
import { History } from 'lucide-react'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useSandbox } from './use-sandbox.ts'

export function HistoryTab() {
  const { status } = useSandbox()
  return (
    <EmptyState icon={History} title="History">
      The sandbox is {status}.
    </EmptyState>
  )
}
