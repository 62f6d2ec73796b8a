// Sandboxes. Every change of status is a compare-and-set: it happens only from the status that the caller believes in,
// and tells whether it did.
import { AppError, type HostId, type SandboxId, type TeamId } from '@wrenn/base'
import type { SandboxStatus } from '@wrenn/contract/sandbox-can'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { violatedConstraint } from './errors.ts'
import { joined } from './joined.ts'
import { inSeconds, leaseColumns, type Lease } from './leases.ts'
import type { Actor, SandboxRow } from './schema.ts'
import { aloneInTeam, assertBelowLimit } from './team-limits.ts'

export interface SandboxRef {
  id: SandboxId
  teamId: TeamId
}

export type NewSandbox = Pick<
  SandboxRow,
  'id' | 'teamId' | 'hostId' | 'template' | 'vcpus' | 'memoryMb' | 'timeoutSec' | 'onTimeout' | 'metadata'
> & { actor: Actor }

export interface SandboxFilter {
  /** Undefined: all but stopped. */
  status?: SandboxStatus | undefined
  /** Pairs that all must be there. */
  metadata?: Record<string, string> | undefined
  limit?: number | undefined
  /** The last sandbox of the page before. */
  after?: SandboxPosition | undefined
}

/** Where a sandbox stands in a list. */
export interface SandboxPosition {
  /** Microseconds since 1970: as exactly as Postgres keeps it, which a Date does not. */
  createdAtMicros: string
  id: SandboxId
}

const now = sql<Date>`now()`

/** A pending row with a lease. Throws `unauthorized` when the team is gone, and `limit_reached`. */
export async function sandboxInsert(
  db: Database,
  sandbox: NewSandbox,
  { lease, maxRunning: max }: { lease: Lease; maxRunning: number | undefined },
): Promise<void> {
  if (max === undefined) return insert(db, sandbox, lease)
  return aloneInTeam(db, sandbox.teamId, async (trx) => {
    await assertBelowLimit(trx, sandbox.teamId, { what: 'running', max })
    await insert(trx, sandbox, lease)
  })
}

async function insert(db: Database, sandbox: NewSandbox, lease: Lease): Promise<void> {
  try {
    await db
      .insertInto('sandboxes')
      .values({
        ...sandbox,
        metadata: JSON.stringify(sandbox.metadata),
        actor: JSON.stringify(sandbox.actor),
        status: 'pending',
        ...leaseColumns(lease),
      })
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
  const row = await byId(db, id)
  return row?.teamId === teamId ? row : undefined
}

const byId = joined(async (db, ids) => {
  const rows = await db
    .selectFrom('sandboxes')
    .selectAll()
    .where(sql<boolean>`id = any(${ids}::text[])`)
    .execute()
  return new Map<string, SandboxRow>(rows.map((row) => [row.id, row]))
})

/** The team's, newest first. */
export async function sandboxList(
  db: Database,
  teamId: TeamId,
  { status, metadata, limit, after }: SandboxFilter,
): Promise<(SandboxRow & SandboxPosition)[]> {
  let query = db
    .selectFrom('sandboxes')
    .selectAll()
    .select(sql<string>`(extract(epoch from created_at) * 1000000)::bigint::text`.as('createdAtMicros'))
    .where('teamId', '=', teamId)
    // Literals, not parameters: so that the planner sees that the partial indexes hold these rows.
    .where(status === 'stopped' ? sql<boolean>`status = 'stopped'` : sql<boolean>`status <> 'stopped'`)
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
  if (status) query = query.where('status', '=', status)
  if (metadata) query = query.where(sql<boolean>`metadata @> ${JSON.stringify(metadata)}::jsonb`)
  if (after) {
    const createdAt = sql`timestamptz 'epoch' + ${after.createdAtMicros}::bigint * interval '1 microsecond'`
    query = query.where(sql<boolean>`(created_at, id) < (${createdAt}, ${after.id})`)
  }
  if (limit !== undefined) query = query.limit(limit)
  return query.execute()
}

/** What the agent says of a sandbox that it has made. */
export interface MadeSandbox {
  generation: number
  /** That its snapshot's disk was booted, and why. */
  statusReason: string | null
  guestIp: string | null
  hostIp: string | null
  /** Whose request it was. */
  actor: Actor
}

/** As `sandboxStart`; what `also` writes is written with it or not at all. */
export async function sandboxStartWith(
  db: Database,
  id: SandboxId,
  made: MadeSandbox,
  also: (transaction: Database, row: SandboxRow) => Promise<void>,
): Promise<SandboxRow | undefined> {
  return db.transaction().execute(async (trx) => {
    const row = await sandboxStart(trx, id, made)
    if (row) await also(trx, row)
    return row
  })
}

/** From pending to running. Undefined when it is not pending any more. */
export async function sandboxStart(
  db: Database,
  id: SandboxId,
  made: MadeSandbox,
): Promise<SandboxRow | undefined> {
  return db
    .updateTable('sandboxes')
    .set({
      status: 'running',
      ...made,
      actor: JSON.stringify(made.actor),
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

/** To stopped or error, from any of `from`. False when it was in none of them. `actor` is null when nobody asked for it. */
export async function sandboxEnd(
  db: Database,
  id: SandboxId,
  change: { from: readonly SandboxStatus[]; to: 'stopped' | 'error'; reason: string; actor: Actor | null },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('sandboxes')
    .set({
      status: change.to,
      statusReason: change.reason,
      actor: change.actor && JSON.stringify(change.actor),
      guestIp: null,
      hostIp: null,
      pausedAt: null,
      lastUpdated: now,
      leaseExpiresAt: null,
      reserved: null,
      reservedUntil: null,
    })
    .where('id', '=', id)
    .where('status', 'in', change.from)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Stops what its host does not have any more, unless it is becoming a snapshot. False when it was not so. */
export async function sandboxEndLost(db: Database, id: SandboxId, reason: string): Promise<boolean> {
  const becoming = await db
    .selectFrom('snapshots')
    .select('id')
    .where('sandboxId', '=', id)
    .where('status', '=', 'pending')
    .executeTakeFirst()
  if (becoming) return false
  return sandboxEnd(db, id, { from: ['running', 'paused'], to: 'stopped', reason, actor: null })
}

/** Whoever learns first of the change that its host is asked for now, this is who asked for it. */
export async function sandboxAskedBy(db: Database, id: SandboxId, actor: Actor): Promise<void> {
  await db
    .updateTable('sandboxes')
    .set({ actor: JSON.stringify(actor) })
    .where('id', '=', id)
    .execute()
}

/** The change came to nothing: what changes next is not this actor's doing. */
export async function sandboxNotAskedBy(db: Database, id: SandboxId, actor: Actor): Promise<void> {
  await db
    .updateTable('sandboxes')
    .set({ actor: null })
    .where('id', '=', id)
    .where(sql<boolean>`actor = ${JSON.stringify(actor)}::jsonb`)
    .execute()
}

/** Removes the row of a create that failed. One that was stopped meanwhile stays: its team asked for that. */
export async function sandboxForget(db: Database, id: SandboxId): Promise<void> {
  await db.deleteFrom('sandboxes').where('id', '=', id).where('status', '<>', 'stopped').execute()
}

/** Sets last_active_at, as long as it is running. */
export async function sandboxPing(db: Database, { id, teamId }: SandboxRef): Promise<void> {
  await db
    .updateTable('sandboxes')
    .set({ lastActiveAt: now })
    .where('id', '=', id)
    .where('teamId', '=', teamId)
    .where('status', '=', 'running')
    .execute()
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

export type KnownSandbox = Pick<SandboxRow, 'id' | 'status' | 'generation' | 'timeoutSec'>

/** Every sandbox that the host should have something of. */
export async function sandboxesOfHost(db: Database, hostId: HostId): Promise<KnownSandbox[]> {
  return db
    .selectFrom('sandboxes')
    .select(['id', 'status', 'generation', 'timeoutSec'])
    .where('hostId', '=', hostId)
    .where('status', '<>', 'stopped')
    .execute()
}

/** How many there are of each status, of all teams, without stopped ones. */
export async function sandboxCounts(db: Database): Promise<{ status: SandboxStatus; count: number }[]> {
  return db
    .selectFrom('sandboxes')
    .select(['status', sql<number>`count(*)::int`.as('count')])
    .where('status', '<>', 'stopped')
    .groupBy('status')
    .execute()
}
