// Rate limits shared by all control planes: fixed windows that begin with the first use.
import type { RateLimit } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'

export interface Reservation {
  /** At most what was wanted; 0 when the limit is reached. */
  granted: number
  /** Of the whole window, by all control planes, with this reservation. */
  used: number
  /** Until the window ends. */
  remainingMs: number
}

/** Takes up to `wanted` of what is left in the key's window. */
export async function rateLimitReserve(
  db: Database,
  key: string,
  { count, windowSec, wanted }: RateLimit & { wanted: number },
): Promise<Reservation> {
  const first = Math.min(wanted, count)
  const isOver = sql`r.ends_at <= now()`
  const left = sql`greatest(0, least(${wanted}::int, ${count}::int - r.used))`
  const { rows } = await sql<Reservation>`
    insert into rate_limits as r (key, used, granted, ends_at)
    values (${key}, ${first}, ${first}, now() + make_interval(secs => ${windowSec}))
    on conflict (key) do update set
      used = case when ${isOver} then excluded.used else r.used + ${left} end,
      granted = case when ${isOver} then excluded.granted else ${left} end,
      ends_at = case when ${isOver} then excluded.ends_at else r.ends_at end
    returning granted, used, (extract(epoch from ends_at - now()) * 1000)::float as remaining_ms
  `.execute(db)
  const [row] = rows
  if (!row) throw new Error('a reservation gave no row')
  return row
}

/** Removes windows that are over. */
export async function rateLimitsForget(db: Database): Promise<void> {
  await db
    .deleteFrom('rateLimits')
    .where('endsAt', '<', sql<Date>`now()`)
    .execute()
}
