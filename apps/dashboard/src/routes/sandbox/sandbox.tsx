// /sandboxes/$id: one sandbox. Heading with what can be done to it, and tabs; each tab is a route below and a file beside
// this one.
import { Menu } from '@base-ui/react/menu'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Outlet } from '@tanstack/react-router'
import { WrennError, type Sandbox } from '@wrenn/sdk'
import { Ellipsis } from 'lucide-react'
import { sandboxQuery } from '../../data/queries.ts'
import { NotFoundPage } from '../../layout/boundaries.tsx'
import { Page } from '../../layout/page.tsx'
import { SandboxActionButton } from '../../sandboxes/action-button.tsx'
import { Idle, MetadataChips, SandboxStatusBadge, sizeText, timeoutText } from '../../sandboxes/facts.tsx'
import { SandboxActions, useSandboxActions } from '../../sandboxes/sandbox-actions.tsx'
import { SandboxMenu } from '../../sandboxes/sandbox-menu.tsx'
import { useWrenn } from '../../session/client.ts'
import { ErrorState } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { TabLink, TabLinks } from '../../ui/tabs.tsx'
import { RelativeTime } from '../../ui/time.tsx'

const route = getRouteApi('/app/sandboxes/$id')

export function SandboxPage() {
  const { id } = route.useParams()
  const sandbox = useQuery(sandboxQuery(useWrenn(), id))
  if (sandbox.error instanceof WrennError && sandbox.error.code === 'not_found') return <NotFoundPage />
  return (
    <SandboxActions>
      <Page
        title={id}
        heading={<Heading id={id} sandbox={sandbox.data} />}
        description={sandbox.data && <Facts sandbox={sandbox.data} />}
        actions={sandbox.data && <HeadingActions sandbox={sandbox.data} />}
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
    </SandboxActions>
  )
}

function Heading({ id, sandbox }: { id: string; sandbox: Sandbox | undefined }) {
  const { pending } = useSandboxActions()
  return (
    <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
      <span className="font-mono text-lg">{id}</span>
      {sandbox && <SandboxStatusBadge sandbox={sandbox} pending={pending.get(id)} />}
    </span>
  )
}

function Facts({ sandbox }: { sandbox: Sandbox }) {
  const { status, template, vcpus, memory_mb: memoryMib, created_at: createdAt } = sandbox
  const { status_reason: reason, metadata } = sandbox
  return (
    <div className="flex flex-col gap-1.5">
      {reason !== undefined && <p className="text-ink [overflow-wrap:anywhere]">{reason}</p>}
      <ul aria-label="Facts" className="flex flex-wrap items-center gap-x-4 gap-y-0.5">
        <li className="[overflow-wrap:anywhere]">{template}</li>
        <li>{sizeText({ vcpus, memoryMib })}</li>
        <li>
          created <RelativeTime at={createdAt} />
        </li>
        {status === 'running' && (
          <li>
            idle for <Idle sandbox={sandbox} />
          </li>
        )}
        {status === 'paused' && (
          <li>
            <Idle sandbox={sandbox} />
          </li>
        )}
        {status !== 'stopped' && <li>timeout: {timeoutText(sandbox)}</li>}
      </ul>
      <MetadataChips metadata={metadata} />
    </div>
  )
}

const buttons = ['pause', 'resume', 'snapshot'] as const

function HeadingActions({ sandbox }: { sandbox: Sandbox }) {
  return (
    <>
      {buttons.map((action) => (
        <SandboxActionButton key={action} action={action} sandbox={sandbox} className="max-sm:px-2" />
      ))}
      <Menu.Root>
        <Menu.Trigger render={<IconButton label="More actions" icon={Ellipsis} />} />
        <SandboxMenu sandbox={sandbox} actions={['ping', 'destroy']} />
      </Menu.Root>
    </>
  )
}
