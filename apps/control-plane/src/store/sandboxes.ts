// Sandboxes. Every change of status is a compare-and-set: it happens only from the status that the caller believes in,
// and tells whether it did.
import { AppError, type HostId, type SandboxId, type TeamId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { violatedConstraint } from './errors.ts'
import type { SandboxRow, SandboxStatus } from './schema.ts'

export interface SandboxRef {
  id: SandboxId
  teamId: TeamId
}

export type NewSandbox = Pick<
  SandboxRow,
  'id' | 'teamId' | 'hostId' | 'template' | 'vcpus' | 'memoryMb' | 'timeoutSec'
>

const now = sql<Date>`now()`
const inSeconds = (seconds: number) => sql<Date>`now() + make_interval(secs => ${seconds})`

/** A pending row with a lease. Throws `unauthorized` when the team is gone. */
export async function sandboxInsert(db: Database, sandbox: NewSandbox, leaseSec: number): Promise<void> {
  try {
    await db
      .insertInto('sandboxes')
      .values({ ...sandbox, status: 'pending', leaseExpiresAt: inSeconds(leaseSec) })
      .execute()
  } catch (error) {
    if (violatedConstraint(error) !== 'sandboxes_team_id_fkey') throw error
    throw new AppError('unauthorized', 'This account does not exist any more', { cause: error })
  }
}

export async function sandboxByRef(
  db: Database,
  { id, teamId }: SandboxRef,
): Promise<SandboxRow | undefined> {
  return db
    .selectFrom('sandboxes')
    .selectAll()
    .where('id', '=', id)
    .where('teamId', '=', teamId)
    .executeTakeFirst()
}

/** The team's, newest first, without stopped ones. */
export async function sandboxList(db: Database, teamId: TeamId): Promise<SandboxRow[]> {
  return db
    .selectFrom('sandboxes')
    .selectAll()
    .where('teamId', '=', teamId)
    .where('status', '<>', 'stopped')
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

/** From pending to running. Undefined when it is not pending any more. */
export async function sandboxStart(
  db: Database,
  id: SandboxId,
  addresses: { guestIp: string | null; hostIp: string | null },
): Promise<SandboxRow | undefined> {
  return db
    .updateTable('sandboxes')
    .set({
      status: 'running',
      ...addresses,
      startedAt: now,
      lastActiveAt: now,
      lastUpdated: now,
      leaseExpiresAt: null,
    })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .returningAll()
    .executeTakeFirst()
}

/** To stopped or error, from any of `from`. False when it was in none of them. */
export async function sandboxEnd(
  db: Database,
  id: SandboxId,
  change: { from: readonly SandboxStatus[]; to: 'stopped' | 'error'; reason: string },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('sandboxes')
    .set({
      status: change.to,
      statusReason: change.reason,
      guestIp: null,
      hostIp: null,
      lastUpdated: now,
      leaseExpiresAt: null,
    })
    .where('id', '=', id)
    .where('status', 'in', change.from)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Removes the row of a create that failed. One that was stopped meanwhile stays: its team asked for that. */
export async function sandboxForget(db: Database, id: SandboxId): Promise<void> {
  await db
    .deleteFrom('sandboxes')
    .where('id', '=', id)
    .where('status', 'in', ['pending', 'running'])
    .execute()
}

/** Sets last_active_at of a running sandbox. False when there is none. */
export async function sandboxPing(db: Database, { id, teamId }: SandboxRef): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('sandboxes')
    .set({ lastActiveAt: now })
    .where('id', '=', id)
    .where('teamId', '=', teamId)
    .where('status', '=', 'running')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Off the request path, and worth nothing after a crash: the commit does not wait for the disk. */
export async function sandboxesTouch(db: Database, ids: readonly SandboxId[]): Promise<void> {
  await db
    .updateTable('sandboxes')
    .from(sql`(select set_config('synchronous_commit', 'off', true))`.as('settings'))
    .set({ lastActiveAt: now })
    .where('sandboxes.id', 'in', ids)
    .where('status', '=', 'running')
    .execute()
}

export async function sandboxesRenewLeases(
  db: Database,
  ids: readonly SandboxId[],
  leaseSec: number,
): Promise<void> {
  await db
    .updateTable('sandboxes')
    .set({ leaseExpiresAt: inSeconds(leaseSec) })
    .where('id', 'in', ids)
    .where('status', '=', 'pending')
    .execute()
}

/** Removes pending rows of the host whose creator is gone, and returns their ids. */
export async function sandboxesForgetAbandoned(db: Database, hostId: HostId): Promise<SandboxId[]> {
  const rows = await db
    .deleteFrom('sandboxes')
    .where('hostId', '=', hostId)
    .where('status', '=', 'pending')
    .where('leaseExpiresAt', '<', now)
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}

/** Every sandbox that the host should have something of. */
export async function sandboxesOfHost(
  db: Database,
  hostId: HostId,
): Promise<Pick<SandboxRow, 'id' | 'status'>[]> {
  return db
    .selectFrom('sandboxes')
    .select(['id', 'status'])
    .where('hostId', '=', hostId)
    .where('status', '<>', 'stopped')
    .execute()
}
