// Pausing and resuming. The agent's state machine lets one change at a time through; its answer is applied to the row by
// generation. Neither is stopped when its client goes away. When an answer is lost, the reconciler learns what became of it.
import { AppError, errorText, timed } from '@wrenn/base'
import type { AgentSandbox } from '../../hosts/agent.ts'
import type { Host } from '../../hosts/hosts.ts'
import { sandboxApply } from '../../store/sandbox-reports.ts'
import { sandboxAskedBy, sandboxNotAskedBy, type SandboxRef } from '../../store/sandboxes.ts'
import type { Actor, SandboxRow } from '../../store/schema.ts'
import { sandboxReserve, sandboxUnreserve, type Countable } from '../../store/team-limits.ts'
import { fromAgent } from './create.ts'
import type { SandboxDeps } from './deps.ts'
import { getSandbox } from './find.ts'
import { reportOf } from './reports.ts'
import { assertCan } from './states.ts'

/** Longer than a change may take (AgentDeadlines.changeMs). */
const reservedSec = 600

/** Returns when it is durable on disk and has no VM any more. Throws `not_found` and `invalid_state`. */
export async function pauseSandbox(deps: SandboxDeps, ref: SandboxRef, actor: Actor): Promise<SandboxRow> {
  const row = await getSandbox(deps.db, ref)
  assertCan('pause', row)
  return change(deps, row, { to: 'paused', actor, call: (host) => host.agent.pauseSandbox(row.id) })
}

/** Returns when a command sent to it runs. Throws `not_found` and `invalid_state`. */
export async function resumeSandbox(deps: SandboxDeps, ref: SandboxRef, actor: Actor): Promise<SandboxRow> {
  const row = await getSandbox(deps.db, ref)
  assertCan('resume', row)
  return change(deps, row, { to: 'running', actor, call: (host) => host.agent.resumeSandbox(row.id) })
}

interface Change {
  to: Countable
  actor: Actor
  call: (host: Host) => Promise<AgentSandbox>
}

async function change(deps: SandboxDeps, row: SandboxRow, { to, actor, call }: Change): Promise<SandboxRow> {
  const host = await timed('place', () => deps.hosts.byId(row.hostId))
  const reserved = await reserve(deps, row, to)
  const asked = askedBy(deps, row, actor)
  try {
    const sandbox = await call(host)
    await asked
    return await applied(deps, row, { sandbox, actor })
  } catch (error) {
    await asked
    if (await converge(deps, row, { host, actor })) {
      if (reserved) await sandboxUnreserve(deps.db, row.id, reserved)
      await sandboxNotAskedBy(deps.db, row.id, actor)
    }
    throw changeError(row, error)
  }
}

/** While the agent works, so that nobody waits for it. Without it the history may not tell who it was. */
async function askedBy({ db, logger }: SandboxDeps, { id }: SandboxRow, actor: Actor): Promise<void> {
  try {
    await sandboxAskedBy(db, id, actor)
  } catch (error) {
    logger.warn({ op: 'sandboxAskedBy', outcome: 'lost', sandboxId: id, reason: errorText(error) })
  }
}

/** It counts as what it is about to be, so that two at once do not both pass the last of a limit. */
async function reserve(
  { db, limits }: SandboxDeps,
  row: SandboxRow,
  what: Countable,
): Promise<Date | undefined> {
  const max = what === 'running' ? limits.maxRunning : limits.maxPaused
  const ends = what === 'running' && limits.pausedRetentionSec !== undefined
  if (max === undefined && !ends) return undefined
  return sandboxReserve(db, row, { what, max, seconds: reservedSec })
}

async function applied(
  deps: SandboxDeps,
  row: SandboxRow,
  { sandbox, actor }: { sandbox: AgentSandbox; actor: Actor },
): Promise<SandboxRow> {
  const report = reportOf(sandbox, row)
  const changed = report && (await sandboxApply(deps.db, report, actor))
  // A reconciler was quicker, or the sandbox was destroyed meanwhile.
  if (!changed) await sandboxNotAskedBy(deps.db, row.id, actor)
  const current = changed ?? (await getSandbox(deps.db, row))
  if (current.status === 'stopped') throw destroyed(row)
  return current
}

/** Whatever became of the change: the row shows it as soon as the agent knows. False when it does not know yet. */
async function converge(
  deps: SandboxDeps,
  row: SandboxRow,
  { host, actor }: { host: Host; actor: Actor },
): Promise<boolean> {
  try {
    const report = reportOf(await host.agent.getSandbox(row.id), row)
    if (report) await sandboxApply(deps.db, report, actor)
    else deps.reconcileSoon()
    return report !== undefined
  } catch (error) {
    deps.logger.info({
      op: 'convergeSandbox',
      outcome: 'later',
      sandboxId: row.id,
      reason: errorText(error),
    })
    deps.reconcileSoon()
    return false
  }
}

function changeError(row: SandboxRow, error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  return error.code === 'not_found' ? destroyed(row, error) : fromAgent(error)
}

function destroyed({ id }: SandboxRow, cause?: unknown): AppError {
  return new AppError('not_found', `Sandbox ${id} was destroyed meanwhile`, { cause })
}
