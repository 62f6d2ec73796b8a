// Runs a cluster: as one of the launcher's supervised processes, and for tests that want a real, throw-away Postgres.
import { join } from 'node:path'
import { Client } from 'pg'
import type { ProcessRef } from '@wrenn/base'
import { SupervisedProcess, type ProcessSpec } from '../supervisor/supervised-process.ts'
import { Cluster, postgresEnvironment, type ClusterOptions } from './cluster.ts'

const READY_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 20_000
const CONNECT_TIMEOUT_MS = 2_000

export interface RunningPostgres {
  /** For node-postgres, libpq and DATABASE_URL. */
  url: string
  /** The postmaster. Another one after it died. */
  readonly ref: ProcessRef | undefined
  /** Returns when every process of it is gone. The data stay. */
  stop(): Promise<void>
}

/**
 * Starts the cluster in `folder`, made first unless it is there, and keeps it running: also after a kill -9. It ends
 * with the process that called this, however that ends. Needs root; `folder` must lie where other users can enter.
 */
export async function startPostgres(options: ClusterOptions): Promise<RunningPostgres> {
  const cluster = await Cluster.prepare({ ...options, endsWithUs: true })
  const postgres = new SupervisedProcess(
    postgresSpec(cluster, {
      logFile: join(options.folder, 'postgres.log'),
      pidFile: join(options.folder, 'postgres.pid'),
    }),
    () => undefined,
  )
  await postgres.start()
  return {
    url: cluster.url,
    get ref() {
      return postgres.ref
    },
    stop: () => postgres.stop(),
  }
}

/** The postmaster as a supervised process. */
export function postgresSpec(cluster: Cluster, files: Pick<ProcessSpec, 'logFile' | 'pidFile'>): ProcessSpec {
  return {
    name: 'postgres',
    command: cluster.serverCommand(),
    env: postgresEnvironment,
    ...files,
    stopSignal: 'SIGINT',
    stopGraceMs: STOP_GRACE_MS,
    ready: () => assertAnswers(cluster.url),
    readyTimeoutMs: READY_TIMEOUT_MS,
    clearLeftovers: () => cluster.clearLeftovers(),
  }
}

/** One attempt to use the database. */
export async function assertAnswers(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  // A connection that breaks after its failure was reported would otherwise end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
  } finally {
    await client.end()
  }
}
