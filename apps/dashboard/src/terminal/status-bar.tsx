// Below a terminal: how it is, in words, and the button that mends it. While all is well, the keys to know.
import type { Sandbox } from '@wrenn/sdk'
import { CircleAlert, CircleStop, Pause, Plug, RotateCw, Unplug, type LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '../lib/cx.ts'
import { SandboxActionButton } from '../sandboxes/action-button.tsx'
import { Button } from '../ui/button.tsx'
import { CopyAsCurl } from '../ui/copy-as-curl.tsx'
import { callOf } from '../sandboxes/actions.ts'
import { describeError } from '../ui/describe-error.ts'
import type { LinkState } from './link.ts'

export interface StatusBarProps {
  sandbox: Sandbox
  state: LinkState
  onRetry: () => void
  onRestart: () => void
  /** While all is well. */
  children: ReactNode
}

interface Notice {
  icon: LucideIcon
  tone: string
  text: string
  action?: ReactNode
}

export function StatusBar({ sandbox, state, onRetry, onRestart, children }: StatusBarProps) {
  const notice = noticeOfSandbox(sandbox) ?? noticeOfLink(state, onRetry, onRestart)
  return (
    <div
      className={cx(
        'flex min-h-10 shrink-0 flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-3 py-1',
        notice?.tone,
      )}
    >
      <div role="status" className={cx('min-w-0', notice ? 'flex-1 basis-64' : 'sr-only')}>
        {notice ? (
          <p className="flex items-center gap-2">
            <notice.icon aria-hidden className="size-4 shrink-0" />
            <span className="min-w-0 [overflow-wrap:anywhere]">{notice.text}</span>
          </p>
        ) : (
          'Connected'
        )}
      </div>
      {notice?.action !== undefined && <div className="flex items-center gap-2">{notice.action}</div>}
      {/* It describes the terminal's input also while it is not seen. */}
      <div hidden={notice !== undefined}>{children}</div>
    </div>
  )
}

/** Undefined while it runs. The reason is in the page's heading. */
function noticeOfSandbox(sandbox: Sandbox): Notice | undefined {
  const { id, status } = sandbox
  if (status === 'running') return undefined
  const notices = {
    pending: { icon: Plug, tone: 'bg-info-soft text-info', text: 'The sandbox is being started…' },
    paused: {
      icon: Pause,
      tone: 'bg-warn-soft text-warn',
      text: 'The sandbox is paused. What runs in it goes on when it is resumed.',
      action: (
        <>
          <CopyAsCurl call={callOf('resume', id)} />
          <SandboxActionButton action="resume" sandbox={sandbox} variant="primary" />
        </>
      ),
    },
    stopped: { icon: CircleStop, tone: 'bg-sunken text-ink', text: 'The sandbox is stopped.' },
    error: { icon: CircleAlert, tone: 'bg-danger-soft text-danger', text: 'The sandbox has failed.' },
  } satisfies Record<typeof status, Notice>
  return notices[status]
}

/** Undefined while it is open. */
function noticeOfLink(state: LinkState, onRetry: () => void, onRestart: () => void): Notice | undefined {
  if (state.kind === 'open') return undefined
  if (state.kind === 'opening') return { icon: Plug, tone: 'text-muted', text: 'Connecting…' }
  if (state.kind === 'lost') {
    const { message } = describeError(state.error)
    return { icon: Unplug, tone: 'bg-warn-soft text-warn', text: `Reconnecting… ${message}` }
  }
  if (state.kind === 'refused')
    return {
      icon: CircleAlert,
      tone: 'bg-danger-soft text-danger',
      text: refusal(state.error),
      action: (
        <Button size="sm" icon={RotateCw} onClick={onRetry}>
          Try again
        </Button>
      ),
    }
  const text =
    state.kind === 'ended'
      ? `The shell has ended with exit code ${state.exitCode}.`
      : 'This shell is not there any more: it has ended, or the sandbox was booted anew.'
  const action = (
    <Button size="sm" variant="primary" onClick={onRestart}>
      Start a new shell
    </Button>
  )
  return { icon: CircleStop, tone: 'bg-sunken text-ink', text, action }
}

function refusal(error: unknown): string {
  const { message, requestId } = describeError(error)
  return requestId === undefined ? message : `${message} (request ${requestId})`
}
