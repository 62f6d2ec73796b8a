// The terminal of a sandbox.
import { SquareTerminal } from 'lucide-react'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useSandbox } from './use-sandbox.ts'

export function TerminalTab() {
  const { status } = useSandbox()
  return (
    <EmptyState icon={SquareTerminal} title="Terminal">
      The sandbox is {status}.
    </EmptyState>
  )
}
