// Destroying a sandbox. The row is stopped first: from then on no action is legal, a create in progress fails, and the
// reconciler destroys what this call does not.
import { AppError } from '@wrenn/base'
import { sandboxEnd, type SandboxRef } from '../../store/sandboxes.ts'
import type { Actor } from '../../store/schema.ts'
import type { SandboxDeps } from './deps.ts'
import { fromAgent } from './create.ts'
import { getSandbox } from './find.ts'

/** Returns when nothing of it is left at the agent. May be repeated. Throws `not_found`. */
export async function destroySandbox(deps: SandboxDeps, ref: SandboxRef, actor: Actor): Promise<void> {
  const row = await getSandbox(deps.db, ref)
  await sandboxEnd(deps.db, row.id, {
    from: ['pending', 'running', 'paused', 'error'],
    to: 'stopped',
    reason: 'It was destroyed on request.',
    actor,
  })
  try {
    const host = await deps.hosts.byId(row.hostId)
    await host.agent.destroySandbox(row.id)
  } catch (error) {
    deps.reconcileSoon()
    throw error instanceof AppError ? fromAgent(error) : error
  }
}
