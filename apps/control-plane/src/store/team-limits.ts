// Limits of teams, counted and kept without races: whoever changes what counts does so alone among its team's others, by
// an advisory lock that is taken only where a limit is set.
import { AppError, type SandboxId, type TeamId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'

export type Countable = 'running' | 'paused'

// Any number of ours, the first of two that make the key; migrations lock with keys of one number.
const lockSpace = 7_233

/** Runs `work` in a transaction, one at a time for a team. */
export async function aloneInTeam<T>(
  db: Database,
  teamId: TeamId,
  work: (transaction: Database) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${lockSpace}, hashtext(${teamId}))`.execute(trx)
    return work(trx)
  })
}

/** Throws `limit_reached` when the team has that many already, not counting `but`. */
export async function assertBelowLimit(
  trx: Database,
  teamId: TeamId,
  { what, max, but }: { what: Countable; max: number; but?: SandboxId },
): Promise<void> {
  const statuses = what === 'running' ? ['pending', 'running'] : ['paused']
  const { count } = await trx
    .selectFrom('sandboxes')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('teamId', '=', teamId)
    .where(sql<boolean>`status <> 'stopped'`)
    .where(
      sql<boolean>`(status = any(${statuses}::text[]) or (reserved = ${what} and reserved_until > now()))`,
    )
    .where('id', '<>', but ?? ('' as SandboxId))
    .executeTakeFirstOrThrow()
  if (count < max) return
  throw new AppError(
    'limit_reached',
    `The team has ${count} ${what} sandboxes, and at most ${max} are allowed: ${advice[what]}`,
  )
}

const advice = {
  running: 'pause or destroy one of them',
  paused: 'resume or destroy one of them',
}

/** A new snapshot counts with its memory until its size is known. Throws `limit_reached`. */
export async function assertSnapshotFits(
  trx: Database,
  teamId: TeamId,
  { memoryMb, maxMb, replaces }: { memoryMb: number; maxMb: number; replaces: string | undefined },
): Promise<void> {
  const { usedMb } = await trx
    .selectFrom('snapshots')
    .select(
      sql<number>`coalesce(ceil(sum(case status when 'ready' then size_bytes / 1048576.0 else memory_mb end)), 0)::int`.as(
        'usedMb',
      ),
    )
    .where('teamId', '=', teamId)
    .where('status', 'in', ['pending', 'ready'])
    .where(sql<boolean>`not (status = 'ready' and name = ${replaces ?? ''})`)
    .executeTakeFirstOrThrow()
  if (usedMb + memoryMb <= maxMb) return
  throw new AppError(
    'limit_reached',
    `The team's snapshots take ${usedMb} MiB, and with up to ${memoryMb} more they would pass the ${maxMb} that are allowed: delete some`,
  )
}

/**
 * The sandbox counts as `what` from now on, for `seconds` or until its status changes. Undefined when another request
 * has seen to that; else what `sandboxUnreserve` takes. Throws `limit_reached`.
 */
export async function sandboxReserve(
  db: Database,
  sandbox: { id: SandboxId; teamId: TeamId },
  { what, max, seconds }: { what: Countable; max: number | undefined; seconds: number },
): Promise<Date | undefined> {
  const { id, teamId } = sandbox
  return aloneInTeam(db, teamId, async (trx) => {
    if (max !== undefined) await assertBelowLimit(trx, teamId, { what, max, but: id })
    const row = await trx
      .updateTable('sandboxes')
      .set({
        reserved: what,
        // As exactly as a Date keeps it.
        reservedUntil: sql<Date>`date_trunc('milliseconds', now() + make_interval(secs => ${seconds}))`,
      })
      .where('id', '=', id)
      .where((where) =>
        where.or([where('reservedUntil', 'is', null), where('reservedUntil', '<', sql<Date>`now()`)]),
      )
      .returning('reservedUntil')
      .executeTakeFirst()
    return row?.reservedUntil ?? undefined
  })
}

export async function sandboxUnreserve(db: Database, id: SandboxId, until: Date): Promise<void> {
  await db
    .updateTable('sandboxes')
    .set({ reserved: null, reservedUntil: null })
    .where('id', '=', id)
    .where('reservedUntil', '=', until)
    .execute()
}
