// Leases on rows whose work is under way: who holds them, and until when. Rows of sandboxes, snapshots and idempotency
// keys have one; ../services/lease-holder.ts knows what a holder is.
import { sql } from 'kysely'
import type { Database } from './database.ts'

/** As a process takes it. */
export interface Lease {
  holder: string
  leaseSec: number
}

export const inSeconds = (seconds: number) => sql<Date>`now() + make_interval(secs => ${seconds})`

export const leaseColumns = ({ holder, leaseSec }: Lease) => ({
  leaseHolder: holder,
  leaseExpiresAt: inSeconds(leaseSec),
})

// The conditions are those of the partial indexes: what is finished needs no lease.
const tables = [
  { name: sql.table('sandboxes'), unfinished: sql`status = 'pending'` },
  { name: sql.table('snapshots'), unfinished: sql`status = 'pending'` },
  { name: sql.table('idempotency_keys'), unfinished: sql`answer is null` },
]

/** Whoever holds a lease that lasts. */
export async function leaseHolders(db: Database): Promise<string[]> {
  const selects = tables.map(
    ({ name, unfinished }) =>
      sql`select lease_holder from ${name}
        where ${unfinished} and lease_holder is not null and lease_expires_at > now()`,
  )
  const { rows } = await sql<{ leaseHolder: string }>`${sql.join(selects, sql` union `)}`.execute(db)
  return rows.map(({ leaseHolder }) => leaseHolder)
}

/** Ends what these hold. One that another has taken over meanwhile is that one's. */
export async function leasesEnd(db: Database, holders: readonly string[]): Promise<void> {
  for (const { name, unfinished } of tables)
    await sql`update ${name} set lease_expires_at = '-infinity'
      where ${unfinished} and lease_holder = any(${holders}::text[]) and lease_expires_at > now()`.execute(db)
}
