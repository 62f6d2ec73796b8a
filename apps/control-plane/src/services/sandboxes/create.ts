// Creating a sandbox: row, agent, row again. Each step registers its undo; a failure of any, also of the client's
// connection, leaves no row and no VM. What an undo cannot reach is cleared by the reconciler.
import {
  AppError,
  errorText,
  newId,
  roundUp,
  timed,
  UndoStack,
  type SandboxId,
  type TeamId,
} from '@wrenn/base'
import type { Host } from '../../hosts/hosts.ts'
import { place } from '../../scheduler/place.ts'
import type { Database } from '../../store/database.ts'
import { sandboxForget, sandboxInsert, sandboxStart, sandboxStartWith } from '../../store/sandboxes.ts'
import type { SandboxRow } from '../../store/schema.ts'
import type { SandboxDeps } from './deps.ts'

export interface CreateRequest {
  teamId: TeamId
  template: string
  vcpus: number
  memoryMb: number
  timeoutSec: number
  onTimeout: 'pause' | 'destroy'
  metadata: Record<string, string>
}

const memoryStepMb = 128

export interface CreateOptions {
  signal: AbortSignal
  /** Writes what must be true as soon as the sandbox is, and only then. */
  alongside?: ((transaction: Database, row: SandboxRow) => Promise<void>) | undefined
}

/** Returns when a command sent to the sandbox runs. */
export async function createSandbox(
  deps: SandboxDeps,
  request: CreateRequest,
  options: CreateOptions,
): Promise<SandboxRow> {
  const wanted = { ...request, memoryMb: roundUp(request.memoryMb, memoryStepMb) }
  // Before the row: a request that no host can ever take leaves no trace.
  const host = await timed('place', () => place(deps.hosts, wanted))
  const id = newId('sb')
  const undo = new UndoStack()
  deps.leases.hold(id)
  try {
    const row = await build(deps, { id, host, wanted, undo }, options)
    undo.keep()
    return row
  } catch (error) {
    const failures = await undo.undoAll()
    for (const { name, error } of failures) {
      deps.logger.warn({
        op: 'undoCreate',
        outcome: 'failed',
        sandboxId: id,
        step: name,
        reason: errorText(error),
      })
    }
    if (failures.length > 0) deps.reconcileSoon()
    throw error
  } finally {
    deps.leases.release(id)
  }
}

interface Build {
  id: SandboxId
  host: Host
  wanted: CreateRequest
  undo: UndoStack
}

async function build(
  deps: SandboxDeps,
  { id, host, wanted, undo }: Build,
  { signal, alongside }: CreateOptions,
): Promise<SandboxRow> {
  const { db } = deps
  await undo.acquire('row', sandboxInsert(db, { ...wanted, id, hostId: host.id }, deps.leases.leaseSec), () =>
    sandboxForget(db, id),
  )
  // A call that fails may have made the sandbox all the same: its undo stands before it.
  await undo.acquire('sandbox at the agent', undefined, () => host.agent.destroySandbox(id))
  const { template, vcpus, memoryMb, timeoutSec, onTimeout } = wanted
  const made = await host.agent
    .createSandbox({ id, template, vcpus, memoryMib: memoryMb, timeoutSec, onTimeout }, signal)
    .catch((cause: unknown) => {
      throw createError(cause, template)
    })
  const shown = {
    generation: made.generation,
    guestIp: made.guest_ip ?? null,
    hostIp: made.host_ip ?? null,
  }
  const row = await (alongside ? sandboxStartWith(db, id, shown, alongside) : sandboxStart(db, id, shown))
  if (!row)
    throw new AppError('invalid_state', `Sandbox ${id} is stopped: it was destroyed while it was created`)
  // Nobody would learn its id, unless its answer is kept.
  if (!alongside) signal.throwIfAborted()
  return row
}

function createError(cause: unknown, template: string): unknown {
  if (!(cause instanceof AppError)) return cause
  if (cause.code === 'not_found')
    return new AppError('not_found', `There is no template ${template}`, { cause })
  return fromAgent(cause)
}

/** What the agent may tell a caller stays; its own failures are `agent_error`. */
export function fromAgent(cause: AppError): AppError {
  const callers = [
    'invalid_request',
    'agent_error',
    'no_capacity',
    'unavailable',
    'disk_full',
    'invalid_state',
  ]
  return callers.includes(cause.code)
    ? cause
    : new AppError('agent_error', 'The host agent failed', { cause })
}
