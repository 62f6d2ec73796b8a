// /sandboxes: all of the team, live.
import { Box } from 'lucide-react'
import { Page } from '../layout/page.tsx'
import { EmptyState } from '../ui/empty-state.tsx'

export function SandboxesPage() {
  return (
    <Page title="Sandboxes">
      <EmptyState icon={Box} title="Sandboxes" />
    </Page>
  )
}
