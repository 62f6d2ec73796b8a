// /sandboxes/$id: one sandbox. Heading and tabs; each tab is a route below and a file beside this one.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Outlet } from '@tanstack/react-router'
import { WrennError } from '@wrenn/sdk'
import { sandboxQuery } from '../../data/queries.ts'
import { NotFoundPage } from '../../layout/boundaries.tsx'
import { Page } from '../../layout/page.tsx'
import { useWrenn } from '../../session/client.ts'
import { StatusBadge } from '../../ui/badge.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { TabLink, TabLinks } from '../../ui/tabs.tsx'

const route = getRouteApi('/app/sandboxes/$id')

export function SandboxPage() {
  const { id } = route.useParams()
  const sandbox = useQuery(sandboxQuery(useWrenn(), id))
  if (sandbox.error instanceof WrennError && sandbox.error.code === 'not_found') return <NotFoundPage />
  return (
    <Page
      title={id}
      heading={
        <span className="flex flex-wrap items-center gap-2.5">
          <span className="font-mono text-lg">{id}</span>
          {sandbox.data && <StatusBadge status={sandbox.data.status} />}
        </span>
      }
    >
      <TabLinks label="Sandbox">
        <TabLink to="/sandboxes/$id" params={{ id }} activeOptions={{ exact: true }}>
          Terminal
        </TabLink>
        <TabLink to="/sandboxes/$id/run" params={{ id }}>
          Run
        </TabLink>
        <TabLink to="/sandboxes/$id/files" params={{ id }}>
          Files
        </TabLink>
        <TabLink to="/sandboxes/$id/metrics" params={{ id }}>
          Metrics
        </TabLink>
        <TabLink to="/sandboxes/$id/history" params={{ id }}>
          History
        </TabLink>
        <TabLink to="/sandboxes/$id/details" params={{ id }}>
          Details
        </TabLink>
      </TabLinks>
      {sandbox.isPending && <Skeleton label="Loading the sandbox" />}
      {sandbox.error && (
        <ErrorState
          title="The sandbox could not be loaded"
          error={sandbox.error}
          onRetry={() => void sandbox.refetch()}
        />
      )}
      {sandbox.data && <Outlet />}
    </Page>
  )
}
