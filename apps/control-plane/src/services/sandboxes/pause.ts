// Pausing and resuming. The agent's state machine lets one change at a time through; its answer is applied to the row by
// generation. Neither is stopped when its client goes away. When an answer is lost, the reconciler learns what became of it.
import { AppError, errorText, timed } from '@wrenn/base'
import type { AgentSandbox } from '../../hosts/agent.ts'
import type { Host } from '../../hosts/hosts.ts'
import { sandboxApply } from '../../store/sandbox-reports.ts'
import type { SandboxRef } from '../../store/sandboxes.ts'
import type { SandboxRow } from '../../store/schema.ts'
import { fromAgent } from './create.ts'
import type { SandboxDeps } from './deps.ts'
import { getSandbox } from './find.ts'
import { reportOf } from './reports.ts'
import { assertCan } from './states.ts'

/** Returns when it is durable on disk and has no VM any more. Throws `not_found` and `invalid_state`. */
export async function pauseSandbox(deps: SandboxDeps, ref: SandboxRef): Promise<SandboxRow> {
  const row = await getSandbox(deps.db, ref)
  assertCan('pause', row)
  return change(deps, row, (host) => host.agent.pauseSandbox(row.id))
}

/** Returns when a command sent to it runs. Throws `not_found` and `invalid_state`. */
export async function resumeSandbox(deps: SandboxDeps, ref: SandboxRef): Promise<SandboxRow> {
  const row = await getSandbox(deps.db, ref)
  assertCan('resume', row)
  return change(deps, row, (host) => host.agent.resumeSandbox(row.id))
}

async function change(
  deps: SandboxDeps,
  row: SandboxRow,
  call: (host: Host) => Promise<AgentSandbox>,
): Promise<SandboxRow> {
  const host = await timed('place', () => deps.hosts.byId(row.hostId))
  try {
    return await applied(deps, row, await call(host))
  } catch (error) {
    await converge(deps, row, host)
    throw changeError(row, error)
  }
}

async function applied(deps: SandboxDeps, row: SandboxRow, sandbox: AgentSandbox): Promise<SandboxRow> {
  const report = reportOf(sandbox, row)
  const changed = report && (await sandboxApply(deps.db, report))
  // A reconciler was quicker, or the sandbox was destroyed meanwhile.
  const current = changed ?? (await getSandbox(deps.db, row))
  if (current.status === 'stopped') throw destroyed(row)
  return current
}

/** Whatever became of the change: the row shows it as soon as the agent knows. */
async function converge(deps: SandboxDeps, row: SandboxRow, host: Host): Promise<void> {
  try {
    const report = reportOf(await host.agent.getSandbox(row.id), row)
    if (report) await sandboxApply(deps.db, report)
    else deps.reconcileSoon()
  } catch (error) {
    deps.logger.info({
      op: 'convergeSandbox',
      outcome: 'later',
      sandboxId: row.id,
      reason: errorText(error),
    })
    deps.reconcileSoon()
  }
}

function changeError(row: SandboxRow, error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  return error.code === 'not_found' ? destroyed(row, error) : fromAgent(error)
}

function destroyed({ id }: SandboxRow, cause?: unknown): AppError {
  return new AppError('not_found', `Sandbox ${id} was destroyed meanwhile`, { cause })
}
