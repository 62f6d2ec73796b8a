// The connection pool. A lost database fails the queries that run, never the process; the pool connects again by itself.
import { errorText, type Logger } from '@wrenn/base'
import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely'
import { Pool } from 'pg'
import type { Tables } from './schema.ts'

export type Database = Kysely<Tables>

const maxConnections = 10
const connectTimeoutMs = 3_000
const queryTimeoutMs = 10_000

/** Connects lazily; `await database.destroy()` closes all connections. */
export function openDatabase(url: string, logger: Logger): Database {
  const pool = new Pool({
    connectionString: url,
    application_name: 'wrenn-control-plane',
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
  })
  // Without listeners a lost connection ends the process: the pool listens to idle ones only. The error of one in use
  // reaches its caller through the query that fails.
  pool.on('connect', (client) => client.on('error', () => undefined))
  pool.on('error', (error) => logger.warn({ op: 'database', outcome: 'lost', reason: errorText(error) }))
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    // What is inside a jsonb value is data, not names of ours.
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  })
}

export async function databasePing(db: Database): Promise<void> {
  await sql`select 1`.execute(db)
}
