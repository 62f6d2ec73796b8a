// /api-keys: make, list and revoke keys.
import { KeyRound } from 'lucide-react'
import { Page } from '../layout/page.tsx'
import { EmptyState } from '../ui/empty-state.tsx'

export function ApiKeysPage() {
  return (
    <Page title="API keys">
      <EmptyState icon={KeyRound} title="API keys" />
    </Page>
  )
}
