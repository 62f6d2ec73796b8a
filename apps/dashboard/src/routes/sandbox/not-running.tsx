// In place of what only a running sandbox has, or above it: why there is nothing, and the button that mends it.
import { whySandboxCannot, type SandboxAction } from '@wrenn/contract/sandbox-can'
import type { Sandbox } from '@wrenn/sdk'
import { Moon } from 'lucide-react'
import type { ReactNode } from 'react'
import { SandboxActionButton } from '../../sandboxes/action-button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { LinkButton } from '../../ui/link-button.tsx'

export interface NotRunningProps {
  sandbox: Sandbox
  /** What needs it running. */
  action: SandboxAction
  /** Of a paused one, what there is when it runs: "Its files are shown when it runs." */
  children?: ReactNode
  /** One line, above what is still there. */
  isSlim?: boolean
}

const titles = {
  pending: 'The sandbox is being made',
  running: 'The sandbox is running',
  paused: 'The sandbox is paused',
  stopped: 'The sandbox is gone',
  error: 'The sandbox has failed',
} as const satisfies Record<Sandbox['status'], string>

export function NotRunning({ sandbox, action, children, isSlim = false }: NotRunningProps) {
  const { status, status_reason: reason } = sandbox
  const hint = status === 'paused' && children !== undefined ? children : undefined
  const text = reason ?? (hint === undefined ? whySandboxCannot(action, status, 'The sandbox') : undefined)
  if (!isSlim)
    return (
      <EmptyState icon={Moon} title={titles[status]} action={<Mend sandbox={sandbox} />}>
        {text !== undefined && <p>{text}</p>}
        {hint !== undefined && <p>{hint}</p>}
      </EmptyState>
    )
  return (
    <section
      aria-label="Not running"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-line bg-surface px-4 py-2.5"
    >
      <Moon aria-hidden className="size-4 shrink-0 text-muted" />
      <div className="min-w-0 flex-1 basis-60">
        <h2 className="font-medium">{titles[status]}</h2>
        {text !== undefined && <p className="text-muted">{text}</p>}
        {hint !== undefined && <p className="text-muted">{hint}</p>}
      </div>
      <Mend sandbox={sandbox} />
    </section>
  )
}

/** A paused one goes on; one that is gone is replaced by another; the rest needs patience. */
function Mend({ sandbox }: { sandbox: Sandbox }) {
  if (sandbox.status === 'paused')
    return <SandboxActionButton action="resume" sandbox={sandbox} variant="primary" />
  if (sandbox.status === 'stopped') return <LinkButton to="/sandboxes">Go to the sandboxes</LinkButton>
  return null
}
