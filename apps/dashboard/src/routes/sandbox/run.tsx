// Run one command, with its output as it comes.
import { Play } from 'lucide-react'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useSandbox } from './use-sandbox.ts'

export function RunTab() {
  const { status } = useSandbox()
  return (
    <EmptyState icon={Play} title="Run a command">
      The sandbox is {status}.
    </EmptyState>
  )
}
