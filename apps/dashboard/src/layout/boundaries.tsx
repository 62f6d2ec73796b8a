// What is shown instead of a page: while it loads, when it fails, when there is none.
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { EmptyState } from '../ui/empty-state.tsx'
import { ErrorState } from '../ui/error-state.tsx'
import { LinkButton } from '../ui/link-button.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { useTitle } from './page.tsx'

export function RoutePending() {
  return (
    <div className="p-6">
      <Skeleton label="Loading the page" rows={6} />
    </div>
  )
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = (): void => {
    reset()
    void router.invalidate()
  }
  return (
    <div className="mx-auto max-w-2xl p-6">
      <ErrorState title="This page has failed" error={error} onRetry={retry} />
    </div>
  )
}

/** For an address that is no page at all: there is nothing around it. */
export function UnknownPage() {
  return (
    <main id="content" tabIndex={-1}>
      <NotFoundPage />
    </main>
  )
}

/** In the place of a page whose sandbox, or whatever it is about, is not there, or another team's. */
export function NotFoundPage() {
  useTitle('Not found')
  return (
    <div className="mx-auto max-w-2xl p-6">
      <EmptyState
        headingLevel={1}
        icon={Compass}
        title="There is nothing here"
        action={<LinkButton to="/sandboxes">Go to the sandboxes</LinkButton>}
      >
        The address is wrong, or what was here is gone.
      </EmptyState>
    </div>
  )
}
