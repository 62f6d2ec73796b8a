// What an agent reports of a sandbox, in the terms of our rows.
import type { AgentSandbox } from '../../hosts/agent.ts'
import type { SandboxReport } from '../../store/sandbox-reports.ts'
import type { SandboxRow } from '../../store/schema.ts'

type Known = Pick<SandboxRow, 'id' | 'timeoutSec'>
type Transition = 'creating' | 'pausing' | 'resuming' | 'snapshotting' | 'destroying'

/** Undefined while it is in transition: there is nothing to say yet. */
export function reportOf(sandbox: AgentSandbox, { id, timeoutSec }: Known): SandboxReport | undefined {
  const { status, generation } = sandbox
  const reason = sandbox.status_reason ?? null
  const report = { id, generation, reason, guestIp: null, hostIp: null }
  if (status === 'running') {
    const addresses = { guestIp: sandbox.guest_ip ?? null, hostIp: sandbox.host_ip ?? null }
    return { ...report, ...addresses, status }
  }
  if (status === 'paused') return { ...report, status }
  if (status === 'failed') return { ...report, status: 'error', reason: reason ?? 'Its VM ended by itself.' }
  if (status === 'expired') return { ...report, status: 'stopped', reason: expiredReason(timeoutSec) }
  status satisfies Transition
  return undefined
}

function expiredReason(timeoutSec: number): string {
  return `It was destroyed after ${timeoutSec} s without activity (timeout_sec, with on_timeout destroy).`
}
