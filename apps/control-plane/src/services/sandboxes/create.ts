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
  type SnapshotId,
  type TeamId,
} from '@wrenn/base'
import type { Host } from '../../hosts/hosts.ts'
import { place } from '../../scheduler/place.ts'
import type { Database } from '../../store/database.ts'
import type { Lease } from '../../store/leases.ts'
import { sandboxForget, sandboxInsert, sandboxStart, sandboxStartWith } from '../../store/sandboxes.ts'
import type { Actor, SandboxRow, SnapshotRow } from '../../store/schema.ts'
import { snapshotByName } from '../../store/snapshots.ts'
import type { SandboxDeps } from './deps.ts'

export interface CreateRequest {
  teamId: TeamId
  actor: Actor
  /** A snapshot of the team's, or a base template. */
  template: string
  /** Whether the client asked for it, and it is no default. */
  given: { vcpus: boolean; memoryMb: boolean }
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
  for (;;) {
    const snapshot = await snapshotByName(deps.db, request.teamId, request.template)
    try {
      return await createFrom(deps, snapshot, { request, options })
    } catch (error) {
      if (!(error instanceof SnapshotGone)) throw error
      await assertReplaced(deps, error, request)
      options.signal.throwIfAborted()
    }
  }
}

async function createFrom(
  deps: SandboxDeps,
  snapshot: SnapshotRow | undefined,
  { request, options }: { request: CreateRequest; options: CreateOptions },
): Promise<SandboxRow> {
  const wanted = sized(request, snapshot)
  // Before the row: a request that no host can ever take leaves no trace.
  const host = await timed('place', () =>
    snapshot ? deps.hosts.byId(snapshot.hostId) : place(deps.hosts, wanted),
  )
  const id = newId('sb')
  const undo = new UndoStack()
  const lease = deps.leases.hold(id)
  try {
    const row = await build(deps, { id, lease, host, wanted, snapshot, undo }, options)
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
  lease: Lease
  host: Host
  wanted: CreateRequest
  snapshot: SnapshotRow | undefined
  undo: UndoStack
}

async function build(
  deps: SandboxDeps,
  { id, lease, host, wanted, snapshot, undo }: Build,
  { signal, alongside }: CreateOptions,
): Promise<SandboxRow> {
  const { db } = deps
  const { given: _given, ...row } = wanted
  const inserted = sandboxInsert(
    db,
    { ...row, id, hostId: host.id },
    { lease, maxRunning: deps.limits.maxRunning },
  )
  await undo.acquire('row', inserted, () => sandboxForget(db, id))
  // A call that fails may have made the sandbox all the same: its undo stands before it.
  await undo.acquire('sandbox at the agent', undefined, () => host.agent.destroySandbox(id))
  const { vcpus, memoryMb, timeoutSec, onTimeout } = wanted
  const from = snapshot
    ? { template: snapshot.template, snapshot: snapshot.id }
    : { template: wanted.template }
  const made = await host.agent
    .createSandbox({ id, ...from, vcpus, memoryMib: memoryMb, timeoutSec, onTimeout }, signal)
    .catch((cause: unknown) => {
      throw createError(cause, wanted.template, snapshot)
    })
  const shown = {
    generation: made.generation,
    statusReason: made.status_reason ?? null,
    guestIp: made.guest_ip ?? null,
    hostIp: made.host_ip ?? null,
    actor: wanted.actor,
  }
  const started = await (alongside ? sandboxStartWith(db, id, shown, alongside) : sandboxStart(db, id, shown))
  if (!started)
    throw new AppError('invalid_state', `Sandbox ${id} is stopped: it was destroyed while it was created`)
  // Nobody would learn its id, unless its answer is kept.
  if (!alongside) signal.throwIfAborted()
  return started
}

/** vcpus and memory of a snapshot are fixed. Throws `invalid_request` when others are asked for. */
function sized(request: CreateRequest, snapshot: SnapshotRow | undefined): CreateRequest {
  const memoryMb = roundUp(request.memoryMb, memoryStepMb)
  if (!snapshot) return { ...request, memoryMb }
  const { given, template } = request
  if (given.vcpus && request.vcpus !== snapshot.vcpus)
    throw new AppError('invalid_request', `vcpus: the snapshot ${template} has ${snapshot.vcpus}`)
  if (given.memoryMb && memoryMb !== snapshot.memoryMb)
    throw new AppError('invalid_request', `memory_mb: the snapshot ${template} has ${snapshot.memoryMb}`)
  return { ...request, vcpus: snapshot.vcpus, memoryMb: snapshot.memoryMb }
}

/** The agent does not have the snapshot that the name stood for a moment ago. */
class SnapshotGone extends AppError {
  readonly id: SnapshotId

  constructor(id: SnapshotId, cause: unknown) {
    super('not_found', 'There is no such snapshot', { cause })
    this.id = id
  }
}

/** Returns when the name stands for another snapshot by now. */
async function assertReplaced(
  { db }: SandboxDeps,
  gone: SnapshotGone,
  { teamId, template }: CreateRequest,
): Promise<void> {
  const current = await snapshotByName(db, teamId, template)
  if (!current) throw new AppError('not_found', `There is no template ${template}`, { cause: gone })
  if (current.id !== gone.id) return
  throw new AppError('agent_error', `The host does not have the snapshot ${template} any more`, {
    cause: gone,
  })
}

function createError(cause: unknown, template: string, snapshot: SnapshotRow | undefined): unknown {
  if (!(cause instanceof AppError)) return cause
  if (cause.code === 'not_found' && snapshot) return new SnapshotGone(snapshot.id, cause)
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
