// What a sandbox is, in short: for its row in the list and the heading of its page.
import type { Sandbox } from '@wrenn/sdk'
import { formatBytes, formatDuration } from '../lib/format.ts'
import { Badge, StatusBadge } from '../ui/badge.tsx'
import { Elapsed, RelativeTime } from '../ui/time.tsx'
import { actionWords, type UserAction } from './actions.ts'

/** `pending`: what is being done to it, said in place of its status. */
export function SandboxStatusBadge({
  sandbox,
  pending,
}: {
  sandbox: Sandbox
  pending?: UserAction | undefined
}) {
  if (pending === undefined || pending === 'ping') return <StatusBadge status={sandbox.status} />
  return (
    <Badge tone="info">
      <span aria-hidden className="size-1.5 animate-pulse rounded-full bg-current" />
      {actionWords[pending].passive}
    </Badge>
  )
}

/** "2 vCPUs, 1 GiB" */
export function sizeText({ vcpus, memoryMib }: { vcpus: number; memoryMib: number }): string {
  return `${vcpus} ${vcpus === 1 ? 'vCPU' : 'vCPUs'}, ${formatBytes(memoryMib * 1_048_576)}`
}

/** "pause after 1 h" */
export function timeoutText({ timeout_sec: timeoutSec, on_timeout: onTimeout }: Sandbox): string {
  return timeoutSec === 0 ? 'never' : `${onTimeout} after ${formatDuration(timeoutSec)}`
}

/** How long nothing has been asked of it, counting; of a paused one, since when it is. */
export function Idle({ sandbox }: { sandbox: Sandbox }) {
  const { status, last_active_at: lastActiveAt, last_updated: lastUpdated } = sandbox
  if (status === 'running' && lastActiveAt !== null) return <Elapsed since={lastActiveAt} />
  if (status === 'paused')
    return (
      <span className="whitespace-nowrap text-muted">
        paused <RelativeTime at={lastUpdated} />
      </span>
    )
  return <span className="text-muted">–</span>
}

export interface MetadataChipsProps {
  metadata: Readonly<Record<string, string>>
  /** More than these are counted only. Default: all are shown. */
  most?: number
}

/** The team's own labels. */
export function MetadataChips({ metadata, most = Infinity }: MetadataChipsProps) {
  const pairs = Object.entries(metadata).map(([key, value]) => `${key}=${value}`)
  const rest = pairs.slice(most)
  if (pairs.length === 0) return null
  return (
    <ul aria-label="Metadata" className="flex flex-wrap gap-1">
      {pairs.slice(0, most).map((pair) => (
        <li key={pair} title={pair} className={chip}>
          {pair}
        </li>
      ))}
      {rest.length > 0 && (
        <li title={rest.join('\n')} className={chip}>
          {rest.length} more
        </li>
      )}
    </ul>
  )
}

const chip = 'max-w-56 truncate rounded-sm bg-sunken px-1.5 py-px font-mono text-xs text-muted'
