// The end of making a snapshot: what became of it at its agent, and the one transaction that shows it. Used by requests
// and, after those whose control plane died, by the reconciler.
import { AppError, type SandboxId, type SnapshotId } from '@wrenn/base'
import type { Agent, AgentSnapshot } from '../../hosts/agent.ts'
import type { Database } from '../../store/database.ts'
import type { SnapshotRow } from '../../store/schema.ts'
import { snapshotById, snapshotFinish } from '../../store/snapshots.ts'

/**
 * The order of reading matters: a sandbox that is not there any more has become a snapshot before, so that a list read
 * after has it.
 */
export async function lookUpSnapshot(
  agent: Agent,
  { id, sandboxId }: { id: SnapshotId; sandboxId: SandboxId },
): Promise<AgentSnapshot | 'not made' | 'unknown'> {
  const sandbox = (await agent.listSandboxes()).find((one) => one.id === sandboxId)
  const made = (await agent.listSnapshots()).find(({ key }) => key === id)
  if (made) return made
  return sandbox?.status === 'snapshotting' ? 'unknown' : 'not made'
}

/** The snapshot is ready, what had its name is not any more, and its sandbox is stopped; with what `alongside` writes. */
export async function finishSnapshot(
  { db, reconcileSoon }: { db: Database; reconcileSoon: () => void },
  id: SnapshotId,
  made: AgentSnapshot,
  alongside: (transaction: Database, row: SnapshotRow) => Promise<void> = async () => undefined,
): Promise<SnapshotRow> {
  const { template, vcpus, memory_mib: memoryMb, size_bytes: sizeBytes } = made
  const finished = await snapshotFinish(db, id, { template, vcpus, memoryMb, sizeBytes }, alongside)
  if (finished) {
    // What it replaced is still at its agent.
    reconcileSoon()
    return finished
  }
  const row = await snapshotById(db, id)
  if (row?.status !== 'ready')
    throw new AppError('unavailable', 'The snapshot was given up meanwhile; try again')
  // A reconciler was quicker.
  await alongside(db, row)
  return row
}
