// Turning a sandbox into a snapshot template. Its agent cannot undo that: so every refusal comes before it, and the name
// is claimed first. What it did when its answer is lost is looked up, here or by a reconciler.
import { AppError, base32, errorText, newId, type SandboxId, type SnapshotId, type TeamId } from '@wrenn/base'
import { randomBytes } from 'node:crypto'
import type { AgentSnapshot } from '../../hosts/agent.ts'
import type { Host } from '../../hosts/hosts.ts'
import type { Database } from '../../store/database.ts'
import type { Lease } from '../../store/leases.ts'
import type { Actor, SnapshotRow } from '../../store/schema.ts'
import { snapshotAbandon, snapshotByKey, snapshotClaim, snapshotTakeOver } from '../../store/snapshots.ts'
import { fromAgent } from '../sandboxes/create.ts'
import { getSandbox } from '../sandboxes/find.ts'
import { assertCan } from '../sandboxes/states.ts'
import type { SnapshotDeps } from './deps.ts'
import { finishSnapshot, lookUpSnapshot } from './finish.ts'

export interface SnapshotRequest {
  teamId: TeamId
  actor: Actor
  sandboxId: SandboxId
  /** Made up when undefined. */
  name: string | undefined
  overwrite: boolean
  idempotencyKey: string | undefined
}

/** Writes what must be true as soon as the snapshot is, and only then. */
type Alongside = ((transaction: Database, row: SnapshotRow) => Promise<void>) | undefined

interface Work {
  id: SnapshotId
  sandboxId: SandboxId
  lease: Lease
  host: Host
  alongside: Alongside
}

/** Returns when the snapshot is durable and the sandbox is gone. Goes on when its client goes away. */
export async function createSnapshot(
  deps: SnapshotDeps,
  request: SnapshotRequest,
  { alongside }: { alongside?: Alongside } = {},
): Promise<SnapshotRow> {
  for (;;) {
    const begun = await begunEarlier(deps, request)
    if (begun?.status === 'ready') {
      await alongside?.(deps.db, begun)
      return begun
    }
    const made = await beginOrGoOn(deps, { request, begun, alongside })
    if (made) return made
    // A reconciler was quicker: what it has made of it is read again.
  }
}

async function beginOrGoOn(
  deps: SnapshotDeps,
  work: { request: SnapshotRequest; begun: SnapshotRow | undefined; alongside: Alongside },
): Promise<SnapshotRow | undefined> {
  const { request, begun, alongside } = work
  const { teamId, sandboxId } = request
  const sandbox = await getSandbox(deps.db, { id: sandboxId, teamId })
  const host = await deps.hosts.byId(sandbox.hostId)
  if (!begun) assertCan('snapshot', sandbox)
  // The same key is the same snapshot for the agent, which may make it after it was given up.
  const id = begun?.id ?? newId('snap')
  const lease = deps.snapshotLeases.hold(id)
  try {
    const isOurs =
      begun?.status === 'pending'
        ? await snapshotTakeOver(deps.db, id, lease)
        : await claim(deps, { ...sandbox, ...request, id, sandboxId, lease })
    return isOurs ? await make(deps, { id, sandboxId, lease, host, alongside }) : undefined
  } finally {
    deps.snapshotLeases.release(id)
  }
}

/** By a request with the same Idempotency-Key, whose control plane is gone: there would be its answer otherwise. */
async function begunEarlier(
  { db }: SnapshotDeps,
  { teamId, sandboxId, idempotencyKey }: SnapshotRequest,
): Promise<SnapshotRow | undefined> {
  return idempotencyKey === undefined ? undefined : snapshotByKey(db, teamId, { sandboxId, idempotencyKey })
}

async function claim(
  { db, limits }: SnapshotDeps,
  wanted: SnapshotRequest & {
    id: SnapshotId
    lease: Lease
    hostId: SnapshotRow['hostId']
    vcpus: number
    memoryMb: number
  },
): Promise<boolean> {
  const { id, lease, teamId, hostId, sandboxId, vcpus, memoryMb, overwrite, actor } = wanted
  const { idempotencyKey = null } = wanted
  const name = wanted.name ?? `snapshot-${base32(randomBytes(8))}`
  const row = { id, teamId, hostId, sandboxId, name, vcpus, memoryMb, idempotencyKey, actor }
  return snapshotClaim(db, row, { overwrite, lease, maxMb: limits.maxSnapshotMb })
}

async function make(deps: SnapshotDeps, work: Work): Promise<SnapshotRow> {
  const { id, sandboxId, host, alongside } = work
  const made = await host.agent
    .createSnapshot(id, sandboxId)
    .catch((error: unknown) => afterFailure(deps, work, error))
  return finishSnapshot(deps, id, made, alongside)
}

/** The snapshot, when there is one all the same; throws when not, and when nobody knows yet. */
async function afterFailure(deps: SnapshotDeps, work: Work, error: unknown): Promise<AgentSnapshot> {
  const { id, sandboxId, lease, host } = work
  const found = await lookUpSnapshot(host.agent, { id, sandboxId }).catch((cause: unknown) => {
    deps.logger.info({ op: 'createSnapshot', outcome: 'unknown', snapshotId: id, reason: errorText(cause) })
    return 'unknown' as const
  })
  if (typeof found === 'object') return found
  if (found === 'not made') await snapshotAbandon(deps.db, id)
  // Not ours any more: a reconciler looks until it is known.
  else await snapshotTakeOver(deps.db, id, { ...lease, leaseSec: 0 })
  deps.reconcileSoon()
  throw snapshotError(work, error)
}

function snapshotError({ sandboxId }: Work, error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  if (error.code !== 'not_found') return fromAgent(error)
  return new AppError('not_found', `Sandbox ${sandboxId} was destroyed meanwhile`, { cause: error })
}
