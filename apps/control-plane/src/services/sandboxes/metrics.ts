// How busy a running sandbox is. Looking is no activity.
import { AppError } from '@wrenn/base'
import type { AgentMetrics } from '../../hosts/guest-agent.ts'
import type { SandboxRef } from '../../store/sandboxes.ts'
import { fromAgent } from './create.ts'
import type { SandboxDeps } from './deps.ts'
import { getSandbox } from './find.ts'
import { assertCan } from './states.ts'

/** Throws `not_found` and `invalid_state`. */
export async function sandboxMetrics(
  deps: SandboxDeps,
  ref: SandboxRef,
  signal: AbortSignal,
): Promise<AgentMetrics> {
  const { id, hostId, ...row } = await getSandbox(deps.db, ref)
  assertCan('metrics', { id, ...row })
  const host = await deps.hosts.byId(hostId)
  try {
    return await host.agent.guest.metrics(id, signal)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    // The agent knows better than our row: it was destroyed or paused, or its VM ended.
    if (error.code === 'not_found' || error.code === 'invalid_state') deps.reconcileSoon()
    throw error.code === 'not_found' ? error : fromAgent(error)
  }
}
