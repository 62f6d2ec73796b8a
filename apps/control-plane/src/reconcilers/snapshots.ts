// Compares snapshot rows with what their agent has. Takes no input, and may run twice or beside another control plane's.
//
// The order of reading is that of ./sandboxes.ts: a row is written before its snapshot is made, so rows read after the
// agent's list know every snapshot of that list.
import { errorText, type Logger, type SandboxId, type SnapshotId } from '@wrenn/base'
import type { AgentSandbox, AgentSnapshot } from '../hosts/agent.ts'
import type { Host, Hosts } from '../hosts/hosts.ts'
import { finishSnapshot } from '../services/snapshots/finish.ts'
import type { Database } from '../store/database.ts'
import {
  snapshotAbandon,
  snapshotForget,
  snapshotReclaim,
  snapshotsForgetAbandoned,
  snapshotsOfHost,
  type KnownSnapshot,
} from '../store/snapshots.ts'

export interface ReconcileSnapshotsDeps {
  db: Database
  hosts: Hosts
  logger: Logger
  reconcileSoon: () => void
}

interface AtAgent {
  sandboxes: ReadonlyMap<SandboxId, AgentSandbox['status']>
  made: ReadonlyMap<SnapshotId, AgentSnapshot>
}

/** One comparison. Throws when the database or the agent does not answer. */
export async function reconcileSnapshots(deps: ReconcileSnapshotsDeps): Promise<void> {
  for (const host of await deps.hosts.all()) await reconcileHost(deps, host)
}

async function reconcileHost(deps: ReconcileSnapshotsDeps, host: Host): Promise<void> {
  const { db } = deps
  const before = await snapshotsOfHost(db, host.id)
  const unfinished = before.filter(({ status, isLeased }) => status === 'pending' && !isLeased)
  // Before the snapshots: a sandbox that is gone may have become one of them.
  const sandboxes = unfinished.length === 0 ? [] : await host.agent.listSandboxes()
  const at: AtAgent = {
    sandboxes: new Map(sandboxes.map(({ id, status }) => [id as SandboxId, status])),
    made: new Map((await host.agent.listSnapshots()).map((made) => [made.key as SnapshotId, made])),
  }
  for (const row of unfinished) await finishOrAbandon(deps, row, at)
  const abandoned = before.filter(({ status }) => status === 'abandoned')
  for (const row of abandoned) await reclaimIfMade(deps, row, at)
  await snapshotsForgetAbandoned(
    db,
    abandoned.map(({ id }) => id).filter((id) => !at.made.has(id)),
  )
  const rows = await snapshotsOfHost(db, host.id)
  const known = new Set(rows.map(({ id }) => id))
  const unwanted = rows.filter(({ status }) => status === 'deleting').map(({ id }) => id)
  const orphans = [...at.made.keys()].filter((id) => !known.has(id))
  for (const id of [...unwanted, ...orphans]) await deleteAtAgent(deps, host, id)
}

async function finishOrAbandon(
  deps: ReconcileSnapshotsDeps,
  { id, sandboxId }: KnownSnapshot,
  { sandboxes, made }: AtAgent,
): Promise<void> {
  const snapshot = made.get(id)
  if (snapshot) {
    await finishSnapshot(deps, id, snapshot)
    deps.logger.info({ op: 'reconcileSnapshots', outcome: 'finished', snapshotId: id, sandboxId })
  } else if (sandboxes.get(sandboxId) !== 'snapshotting') {
    await snapshotAbandon(deps.db, id, { unlessLeased: true })
    deps.logger.info({ op: 'reconcileSnapshots', outcome: 'given up', snapshotId: id, sandboxId })
  }
}

/** Its agent began so late that it seemed to have failed. The sandbox is gone: the snapshot is all there is of it. */
async function reclaimIfMade(
  deps: ReconcileSnapshotsDeps,
  { id, sandboxId, name }: KnownSnapshot,
  { made }: AtAgent,
): Promise<void> {
  const snapshot = made.get(id)
  if (!snapshot || !(await snapshotReclaim(deps.db, id, `${name.slice(0, 55)}-${id.slice(-8)}`))) return
  await finishSnapshot(deps, id, snapshot)
  deps.logger.warn({ op: 'reconcileSnapshots', outcome: 'made after all', snapshotId: id, sandboxId })
}

async function deleteAtAgent(
  { db, logger }: ReconcileSnapshotsDeps,
  { agent }: Host,
  id: SnapshotId,
): Promise<void> {
  try {
    await agent.deleteSnapshot(id)
    await snapshotForget(db, id)
    logger.info({ op: 'reconcileSnapshots', outcome: 'deleted', snapshotId: id })
  } catch (error) {
    const reason = errorText(error)
    logger.warn({ op: 'reconcileSnapshots', outcome: 'not deleted', snapshotId: id, reason })
  }
}
