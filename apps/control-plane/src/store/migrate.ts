// Applies the numbered .sql files beside this, each in a transaction of its own, under a lock: several control planes
// may start at once. An applied file must never change; its checksum is kept to notice that.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { Client } from 'pg'
import { StartError } from '../start-error.ts'

// Any number of ours: the key of an advisory lock that all control planes of a database take.
const lockKey = 7_233_105
const lockTimeoutMs = 60_000
const oldestServer = 150_000

interface Migration {
  version: string
  sql: string
  checksum: string
}

/** Returns the versions it applied. Throws a StartError when the database is too old or a file was changed. */
export async function migrate(
  url: string,
  folder = new URL('migrations/', import.meta.url),
): Promise<string[]> {
  const migrations = await readMigrations(folder)
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  // The loss of the connection fails the query that runs; without a listener it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await checkServerVersion(client)
    await client.query(`set lock_timeout = ${lockTimeoutMs}`)
    await client.query('select pg_advisory_lock($1)', [lockKey])
    return await applyMissing(client, migrations)
  } finally {
    // Also gives the lock back.
    await client.end()
  }
}

async function readMigrations(folder: URL): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), 'utf8')
      const checksum = createHash('sha256').update(sql).digest('hex')
      return { version: name.replace(/\.sql$/, ''), sql, checksum }
    }),
  )
}

async function checkServerVersion(client: Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string }>('show server_version_num')
  const version = Number(rows[0]?.server_version_num)
  if (version < oldestServer) {
    throw new StartError(
      `DATABASE_URL: Postgres ${Math.floor(version / 10_000)} is too old; Wrenn needs ${oldestServer / 10_000} or newer`,
    )
  }
}

async function applyMissing(client: Client, migrations: Migration[]): Promise<string[]> {
  await client.query(`
    create table if not exists schema_migrations (
      version text primary key,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`)
  const { rows } = await client.query<{ version: string; checksum: string }>(
    'select version, checksum from schema_migrations',
  )
  const applied = new Map(rows.map(({ version, checksum }) => [version, checksum]))
  for (const { version, checksum } of migrations) {
    if (applied.has(version) && applied.get(version) !== checksum) {
      throw new StartError(
        `Migration ${version} was changed after it was applied to this database: restore the file, and put the change into a new one`,
      )
    }
  }
  const missing = migrations.filter(({ version }) => !applied.has(version))
  for (const migration of missing) await apply(client, migration)
  return missing.map(({ version }) => version)
}

async function apply(client: Client, { version, sql, checksum }: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(sql)
    await client.query('insert into schema_migrations (version, checksum) values ($1, $2)', [
      version,
      checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw new Error(`migration ${version} failed`, { cause: error })
  }
}
