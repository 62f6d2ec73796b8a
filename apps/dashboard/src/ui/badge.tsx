// A word in colour. The word says it all: the colour is a help, not the message.
import type { SandboxStatus } from '@wrenn/sdk'
import type { ReactNode } from 'react'
import { cx } from '../lib/cx.ts'

export type BadgeTone = 'neutral' | 'ok' | 'info' | 'warn' | 'danger'

const tones: Readonly<Record<BadgeTone, string>> = {
  neutral: 'bg-sunken text-muted',
  ok: 'bg-ok-soft text-ok',
  info: 'bg-info-soft text-info',
  warn: 'bg-warn-soft text-warn',
  danger: 'bg-danger-soft text-danger',
}

export function Badge({ tone = 'neutral', children }: { tone?: BadgeTone; children: ReactNode }) {
  return (
    <span
      className={cx(
        'inline-flex items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap',
        tones[tone],
      )}
    >
      {children}
    </span>
  )
}

const statusTones = {
  pending: 'info',
  running: 'ok',
  paused: 'warn',
  stopped: 'neutral',
  error: 'danger',
} as const satisfies Record<SandboxStatus, BadgeTone>

export function StatusBadge({ status }: { status: SandboxStatus }) {
  return (
    <Badge tone={statusTones[status]}>
      <span
        aria-hidden
        className={cx('size-1.5 rounded-full bg-current', status === 'pending' && 'animate-pulse')}
      />
      {status}
    </Badge>
  )
}
