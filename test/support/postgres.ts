// One throw-away Postgres for a test file: the launcher's own, without fsync, in a temporary folder. It ends with the
// process, however that ends. `database()` makes databases of their own in it, so that tests do not meet.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KeyedQueue } from '@wrenn/base'
import { Client } from 'pg'
import { startPostgres, type RunningPostgres } from '../../apps/launcher/src/postgres/index.ts'
import { plantCluster } from './seed.ts'

export interface TestPostgres {
  /** Makes an empty database and returns its URL. */
  database(): Promise<string>
  /** What the server itself says. */
  logFile: string
  /** The server itself, to stop and start it. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Stops it and removes everything. */
  remove(): Promise<void>
}

export async function createPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'wrenn-pg-'))
  await chmod(folder, 0o711)
  const cacheDir = process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn'
  const options = { cacheDir, folder: join(folder, 'cluster'), fsync: false }
  await plantCluster(options.folder)
  let running: RunningPostgres | undefined = await startPostgres(options)
  const url = running.url
  let databases = 0
  // One after the other: a test may start it again while a stop that it asked for elsewhere is still under way.
  const queue = new KeyedQueue()
  const stop = (): Promise<void> =>
    queue.run('server', async () => {
      await running?.stop()
      running = undefined
    })
  return {
    database: async () => {
      databases += 1
      const name = `test_${databases}`
      await query(url, `create database ${name}`)
      const own = new URL(url)
      own.pathname = `/${name}`
      return own.href
    },
    logFile: join(options.folder, 'postgres.log'),
    stop,
    start: () =>
      queue.run('server', async () => {
        running ??= await startPostgres(options)
      }),
    remove: async () => {
      await stop()
      await rm(folder, { recursive: true })
    },
  }
}

/** Runs SQL of a test; returns the rows. */
export async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

/** Locks a table, so that whoever looks into it waits; `release` lets them go on. */
export async function lockTable(url: string, table: string): Promise<{ release: () => Promise<void> }> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  return { release: () => client.end() }
}
