// /snapshots: the snapshots of the team and the base templates.
import { Layers } from 'lucide-react'
import { Page } from '../layout/page.tsx'
import { EmptyState } from '../ui/empty-state.tsx'

export function SnapshotsPage() {
  return (
    <Page title="Snapshots">
      <EmptyState icon={Layers} title="Snapshots" />
    </Page>
  )
}
