// /start: first steps, as curl, TypeScript and Python.
import { Rocket } from 'lucide-react'
import { Page } from '../layout/page.tsx'
import { EmptyState } from '../ui/empty-state.tsx'

export function StartPage() {
  return (
    <Page title="Get started">
      <EmptyState icon={Rocket} title="Get started" />
    </Page>
  )
}
