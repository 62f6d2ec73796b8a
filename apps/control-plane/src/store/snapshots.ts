// Snapshot templates. Whoever has the pending row of a name is the only one who may make it ready: so an agent that has
// turned a sandbox into a snapshot is never told that the name is taken.
import { AppError, type HostId, type SandboxId, type SnapshotId, type TeamId } from '@wrenn/base'
import { sql } from 'kysely'
import { baseTemplateIs } from './base-templates.ts'
import type { Database } from './database.ts'
import { violatedConstraint } from './errors.ts'
import { inSeconds, leaseColumns, type Lease } from './leases.ts'
import { sandboxEnd } from './sandboxes.ts'
import type { Actor, SnapshotRow } from './schema.ts'
import { aloneInTeam, assertSnapshotFits } from './team-limits.ts'

export interface SnapshotClaim {
  id: SnapshotId
  teamId: TeamId
  hostId: HostId
  sandboxId: SandboxId
  name: string
  vcpus: number
  memoryMb: number
  idempotencyKey: string | null
  actor: Actor
}

/** What the agent says of one that it has made. */
export interface MadeSnapshot {
  template: string
  vcpus: number
  memoryMb: number
  sizeBytes: number
}

interface ClaimOptions {
  overwrite: boolean
  lease: Lease
  /** Of all the team's snapshots. */
  maxMb: number | undefined
}

const now = sql<Date>`now()`

/**
 * A pending row, also of one that was given up; false when that was made after all. Throws `already_exists` when the name
 * is taken and not to be overwritten, or being taken; `forbidden` when a base template would be overwritten;
 * `limit_reached`.
 */
export async function snapshotClaim(
  db: Database,
  claim: SnapshotClaim,
  options: ClaimOptions,
): Promise<boolean> {
  const { teamId, name, memoryMb } = claim
  const { overwrite, maxMb } = options
  if (maxMb === undefined) return db.transaction().execute((trx) => claimIn(trx, claim, options))
  const replaces = overwrite ? name : undefined
  return aloneInTeam(db, teamId, async (trx) => {
    await assertSnapshotFits(trx, teamId, { memoryMb, maxMb, replaces })
    return claimIn(trx, claim, options)
  })
}

async function claimIn(
  db: Database,
  claim: SnapshotClaim,
  { overwrite, lease }: ClaimOptions,
): Promise<boolean> {
  const { name, teamId } = claim
  if (await baseTemplateIs(db, name))
    throw overwrite
      ? new AppError('forbidden', `${name} is a base template, which cannot be overwritten`)
      : new AppError('already_exists', `${name} is the name of a base template`)
  const row = {
    ...claim,
    actor: JSON.stringify(claim.actor),
    status: 'pending',
    ...leaseColumns(lease),
  } as const
  try {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('snapshots')
      .values(row)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet(row).where('snapshots.status', '=', 'abandoned'),
      )
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows === 0n) return false
  } catch (error) {
    if (violatedConstraint(error) !== 'snapshots_pending_name') throw error
    const message = `A snapshot ${name} is being made right now`
    throw new AppError('already_exists', message, { cause: error })
  }
  // After the insert: from now on nobody else makes the name ready.
  if (!overwrite && (await snapshotByName(db, teamId, name)))
    throw new AppError('already_exists', `There is a snapshot ${name}; overwrite=true replaces it`)
  return true
}

export async function snapshotByName(
  db: Database,
  teamId: TeamId,
  name: string,
): Promise<SnapshotRow | undefined> {
  return db
    .selectFrom('snapshots')
    .selectAll()
    .where('teamId', '=', teamId)
    .where('name', '=', name)
    .where(sql<boolean>`status = 'ready'`)
    .executeTakeFirst()
}

/** What an earlier request with this key has begun or made of the sandbox. */
export async function snapshotByKey(
  db: Database,
  teamId: TeamId,
  of: { sandboxId: SandboxId; idempotencyKey: string },
): Promise<SnapshotRow | undefined> {
  return db
    .selectFrom('snapshots')
    .selectAll()
    .where('teamId', '=', teamId)
    .where('sandboxId', '=', of.sandboxId)
    .where('idempotencyKey', '=', of.idempotencyKey)
    .where('status', 'in', ['pending', 'ready', 'abandoned'])
    .orderBy(sql`status = 'abandoned'`)
    .executeTakeFirst()
}

/** The team's, newest first. */
export async function snapshotList(db: Database, teamId: TeamId): Promise<SnapshotRow[]> {
  return db
    .selectFrom('snapshots')
    .selectAll()
    .where('teamId', '=', teamId)
    .where('status', '=', 'ready')
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

/**
 * Pending becomes ready, what had its name goes, and its sandbox is stopped: at once, with what `also` writes. Undefined
 * when it was not pending any more.
 */
export async function snapshotFinish(
  db: Database,
  id: SnapshotId,
  made: MadeSnapshot,
  also: (transaction: Database, row: SnapshotRow) => Promise<void> = async () => undefined,
): Promise<SnapshotRow | undefined> {
  return db.transaction().execute(async (trx) => {
    const pending = await trx
      .selectFrom('snapshots')
      .selectAll()
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .forUpdate()
      .executeTakeFirst()
    if (!pending) return undefined
    const { teamId, name, sandboxId, actor } = pending
    await trx
      .updateTable('snapshots')
      .set({ status: 'deleting' })
      .where('teamId', '=', teamId)
      .where('name', '=', name)
      .where('status', '=', 'ready')
      .execute()
    const row = await trx
      .updateTable('snapshots')
      .set({ ...made, status: 'ready', createdAt: now, leaseExpiresAt: null })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    await sandboxEnd(trx, sandboxId, {
      // Also what a reconciler or a delete has stopped meanwhile: this is what became of it.
      from: ['running', 'paused', 'error', 'stopped'],
      to: 'stopped',
      reason: `It became the snapshot ${name}.`,
      actor,
    })
    await also(trx, row)
    return row
  })
}

/** It came to nothing: its name is free. `unlessLeased`: by one who does not hold its lease. */
export async function snapshotAbandon(
  db: Database,
  id: SnapshotId,
  { unlessLeased = false } = {},
): Promise<void> {
  await db
    .updateTable('snapshots')
    .set({ status: 'abandoned', leaseExpiresAt: null })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .$if(unlessLeased, (update) => update.where('leaseExpiresAt', '<=', now))
    .execute()
}

export async function snapshotById(db: Database, id: SnapshotId): Promise<SnapshotRow | undefined> {
  return db.selectFrom('snapshots').selectAll().where('id', '=', id).executeTakeFirst()
}

/**
 * An abandoned one that its agent has after all is pending again, under a name of its own when its first is taken. False
 * when it is not abandoned any more.
 */
export async function snapshotReclaim(db: Database, id: SnapshotId, otherName: string): Promise<boolean> {
  const { rows } = await sql`
    update snapshots as s set status = 'pending', lease_expires_at = '-infinity', name = case
      when exists (select from snapshots o
        where o.team_id = s.team_id and o.name = s.name and o.status in ('pending', 'ready'))
      then ${otherName} else s.name end
    where id = ${id} and status = 'abandoned'
    returning 1`.execute(db)
  return rows.length > 0
}

/** For whoever goes on with the work of another, or gives it up (0 seconds). False when it is not pending any more. */
export async function snapshotTakeOver(db: Database, id: SnapshotId, lease: Lease): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('snapshots')
    .set(leaseColumns(lease))
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export async function snapshotsRenewLeases(
  db: Database,
  ids: readonly SnapshotId[],
  leaseSec: number,
): Promise<void> {
  await db
    .updateTable('snapshots')
    .set({ leaseExpiresAt: inSeconds(leaseSec) })
    .where('id', 'in', ids)
    .where('status', '=', 'pending')
    .execute()
}

/** The team's ready one of this name has no name any more. Undefined when there is none. */
export async function snapshotDelete(
  db: Database,
  teamId: TeamId,
  name: string,
): Promise<SnapshotRow | undefined> {
  return db
    .updateTable('snapshots')
    .set({ status: 'deleting' })
    .where('teamId', '=', teamId)
    .where('name', '=', name)
    .where('status', '=', 'ready')
    .returningAll()
    .executeTakeFirst()
}

/** The agent has deleted it. */
export async function snapshotForget(db: Database, id: SnapshotId): Promise<void> {
  await db.deleteFrom('snapshots').where('id', '=', id).where('status', '=', 'deleting').execute()
}

/** Nobody made these an hour and more after they were given up. */
export async function snapshotsForgetAbandoned(db: Database, ids: readonly SnapshotId[]): Promise<void> {
  if (ids.length === 0) return
  await db
    .deleteFrom('snapshots')
    .where('id', 'in', ids)
    .where('status', '=', 'abandoned')
    .where('createdAt', '<', sql<Date>`now() - interval '1 hour'`)
    .execute()
}

export type KnownSnapshot = Pick<SnapshotRow, 'id' | 'status' | 'sandboxId' | 'name'> & { isLeased: boolean }

/** Every snapshot that the host may have. */
export async function snapshotsOfHost(db: Database, hostId: HostId): Promise<KnownSnapshot[]> {
  return db
    .selectFrom('snapshots')
    .select(['id', 'status', 'sandboxId', 'name'])
    .select(sql<boolean>`coalesce(lease_expires_at > now(), false)`.as('isLeased'))
    .where('hostId', '=', hostId)
    .execute()
}
