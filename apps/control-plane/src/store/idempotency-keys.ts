// Idempotency keys of teams: who works on one, and its answer.
import { AppError, type TeamId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { inSeconds, type Lease } from './leases.ts'

export interface IdempotencyKey {
  teamId: TeamId
  key: string
}

export interface IdempotencyClaim extends IdempotencyKey {
  /** Of this attempt and no other. */
  claim: string
}

const lifetime = sql`interval '24 hours'`

/** True when the key is the caller's now: it is new, its 24 hours are over, or whoever had it is gone. */
export async function idempotencyClaim(
  db: Database,
  { teamId, key, claim }: IdempotencyClaim,
  { requestHash, lease }: { requestHash: Buffer; lease: Lease },
): Promise<boolean> {
  const { rows } = await sql`
    insert into idempotency_keys as k (team_id, key, request_hash, claim, lease_holder, lease_expires_at)
    values (${teamId}, ${key}, ${requestHash}, ${claim}, ${lease.holder}, ${inSeconds(lease.leaseSec)})
    on conflict (team_id, key) do update set
      request_hash = excluded.request_hash,
      claim = excluded.claim,
      lease_holder = excluded.lease_holder,
      lease_expires_at = excluded.lease_expires_at,
      answer = null,
      created_at = now()
    where k.created_at < now() - ${lifetime} or (k.answer is null and k.lease_expires_at < now())
    returning 1
  `.execute(db)
  return rows.length > 0
}

export async function idempotencyFind(
  db: Database,
  { teamId, key }: IdempotencyKey,
): Promise<{ requestHash: Buffer; answer: unknown } | undefined> {
  return db
    .selectFrom('idempotencyKeys')
    .select(['requestHash', 'answer'])
    .where('teamId', '=', teamId)
    .where('key', '=', key)
    .executeTakeFirst()
}

export async function idempotencyRenew(
  db: Database,
  { teamId, key, claim }: IdempotencyClaim,
  leaseSec: number,
): Promise<void> {
  await db
    .updateTable('idempotencyKeys')
    .set({ leaseExpiresAt: inSeconds(leaseSec) })
    .where('teamId', '=', teamId)
    .where('key', '=', key)
    .where('claim', '=', claim)
    .execute()
}

/** Keeps the answer. Throws `unavailable` when another request has taken the key over. */
export async function idempotencyFinish(
  db: Database,
  { teamId, key, claim }: IdempotencyClaim,
  answer: unknown,
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('idempotencyKeys')
    .set({ answer: JSON.stringify(answer) })
    .where('teamId', '=', teamId)
    .where('key', '=', key)
    .where('claim', '=', claim)
    .executeTakeFirst()
  if (numUpdatedRows === 0n)
    throw new AppError('unavailable', 'Another request with this Idempotency-Key took over; try again')
}

/** After a failure: the next request with the key is a first one. */
export async function idempotencyRelease(
  db: Database,
  { teamId, key, claim }: IdempotencyClaim,
): Promise<void> {
  await db
    .deleteFrom('idempotencyKeys')
    .where('teamId', '=', teamId)
    .where('key', '=', key)
    .where('claim', '=', claim)
    .execute()
}

/** Removes keys whose 24 hours are over. */
export async function idempotencyForget(db: Database): Promise<void> {
  await db
    .deleteFrom('idempotencyKeys')
    .where('createdAt', '<', sql<Date>`now() - ${lifetime}`)
    .execute()
}
