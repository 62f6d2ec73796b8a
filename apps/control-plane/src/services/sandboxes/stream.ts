// A command in a running sandbox whose output comes as it is written. A stream is activity for as long as it is open.
import { AppError } from '@wrenn/base'
import type { StreamedCommand } from '../../hosts/guest-agent.ts'
import type { SandboxRef } from '../../store/sandboxes.ts'
import type { SandboxRow } from '../../store/schema.ts'
import { holdActive } from './active.ts'
import { fromAgent } from './create.ts'
import type { SandboxDeps } from './deps.ts'
import { getSandbox } from './find.ts'
import { assertCan } from './states.ts'

/** Throws `not_found` and `invalid_state`. */
export async function findForStream(deps: SandboxDeps, ref: SandboxRef): Promise<SandboxRow> {
  const row = await getSandbox(deps.db, ref)
  assertCan('exec', row)
  return row
}

/** Messages as the client gets them. Leaving the loop, or an abort, ends the command. */
export async function* streamInSandbox(
  deps: SandboxDeps,
  { id, hostId }: SandboxRow,
  { command, signal }: { command: StreamedCommand; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const release = holdActive(deps, id)
  try {
    const host = await deps.hosts.byId(hostId)
    yield* host.agent.guest.streamCommand(id, command, signal)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    // The agent knows better than our row: it was destroyed, or its VM ended.
    if (error.code === 'not_found' || error.code === 'invalid_state') deps.reconcileSoon()
    throw error.code === 'not_found' ? error : fromAgent(error)
  } finally {
    release()
  }
}

/** Returns at once; the end comes in the stream. */
export async function stopInSandbox(
  deps: SandboxDeps,
  { id, hostId }: SandboxRow,
  pid: number,
): Promise<void> {
  const host = await deps.hosts.byId(hostId)
  await host.agent.guest.stopCommand(id, pid)
}
