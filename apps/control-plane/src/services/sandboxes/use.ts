// Using a running sandbox: exec and ping.
import { AppError } from '@wrenn/base'
import type { Command, CommandResult } from '../../hosts/guest-agent.ts'
import { sandboxPing, type SandboxRef } from '../../store/sandboxes.ts'
import { fromAgent } from './create.ts'
import type { SandboxDeps } from './deps.ts'
import { getSandbox } from './find.ts'
import { assertCan } from './states.ts'

const longMs = 1_000

/** Runs a command to its end. Throws `not_found`, also when the sandbox is destroyed meanwhile, and `invalid_state`. */
export async function execInSandbox(
  deps: SandboxDeps,
  ref: SandboxRef,
  options: { command: Command; signal: AbortSignal },
): Promise<CommandResult> {
  const row = await getSandbox(deps.db, ref)
  assertCan('exec', row)
  const host = await deps.hosts.byId(row.hostId)
  const startedAt = performance.now()
  // While the command runs, so that the answer does not wait for it.
  deps.activity.add(row.id)
  try {
    return await host.agent.guest.exec(row.id, options.command, options.signal)
  } catch (error) {
    throw useError(deps, error, `Sandbox ${ref.id} was destroyed before the command ended`)
  } finally {
    // Inactivity counts from the end of a long command.
    if (performance.now() - startedAt > longMs) deps.activity.add(row.id)
  }
}

/** Begins its idle time anew, at its agent, and sets last_active_at. */
export async function pingSandbox(deps: SandboxDeps, ref: SandboxRef): Promise<void> {
  const row = await getSandbox(deps.db, ref)
  assertCan('ping', row)
  const host = await deps.hosts.byId(row.hostId)
  try {
    await host.agent.touchSandbox(row.id)
  } catch (error) {
    throw useError(deps, error, `Sandbox ${row.id} was destroyed`)
  }
  await sandboxPing(deps.db, ref)
}

function useError(deps: SandboxDeps, error: unknown, destroyed: string): unknown {
  if (!(error instanceof AppError)) return error
  // The agent knows better than our row: it was destroyed or paused, or its VM ended.
  if (error.code === 'not_found' || error.code === 'invalid_state') deps.reconcileSoon()
  if (error.code !== 'not_found') return fromAgent(error)
  return new AppError('not_found', destroyed, { cause: error })
}
