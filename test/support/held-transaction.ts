// A transaction of the test's own that is in the way of others until it ends: races that are decided, not hoped for.
import { pollUntil } from '@wrenn/base'
import { Client } from 'pg'

export interface HeldTransaction {
  /** Waits until so many other sessions wait for a lock in this database. */
  untilWaiting(count: number): Promise<void>
  commit(): Promise<void>
}

/** Begins one and runs `sql` in it. */
export async function holdTransaction(databaseUrl: string, sql: string): Promise<HeldTransaction> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(`begin; ${sql}`)
  return {
    untilWaiting: async (count) => {
      const waiting = async (): Promise<true | undefined> => {
        const { rows } = await client.query<{ waiting: number }>(
          `select count(*)::int as waiting from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return (rows[0]?.waiting ?? 0) >= count || undefined
      }
      await pollUntil(`${count} sessions wait`, waiting, { timeoutMs: 20_000, intervalMs: 10 })
    },
    commit: async () => {
      await client.query('commit')
      await client.end()
    },
  }
}
