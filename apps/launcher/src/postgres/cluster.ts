// One Postgres cluster in a folder of ours: `{folder}/data` and `{folder}/socket`. Guarantees that the data folder is
// either a whole cluster or absent, and that nothing of an earlier run is in the way of a start.
// Called by: startPostgres, for the launcher and for tests.
import { chmod, chown, mkdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError, readFileIfThere, run, syncFolder } from '@wrenn/base'
import { closedFolder } from '../closed-folder.ts'
import { installBinaries, type PostgresBinaries } from './binaries.ts'
import { endClusterProcesses, removeStalePidFiles } from './leftovers.ts'
import { postgresUser, type SystemUser } from './system-user.ts'

const DATABASE = 'wrenn'
const OWNER = 'wrenn'
const PORT = 5432

export interface ClusterOptions {
  /** Where the binaries are kept, shared by all clusters of the machine. */
  cacheDir: string
  /** Holds the cluster. Every user must be able to enter its parents. */
  folder: string
  /** Off only for data that nobody would miss. Default on. */
  fsync?: boolean
  /** Postgres ends when this process does, however that ends. For tests. Default off. */
  endsWithUs?: boolean
}

/** For libpq and for node-postgres: over the unix socket, without a password. `folder`: the cluster's. */
export function embeddedUrl(folder: string): string {
  return `postgresql://${OWNER}@localhost/${DATABASE}?host=${encodeURIComponent(join(folder, 'socket'))}`
}

export class Cluster {
  readonly url: string
  readonly dataFolder: string
  readonly #socketFolder: string
  readonly #fsync: boolean
  readonly #endsWithUs: boolean
  readonly #binaries: PostgresBinaries
  readonly #user: SystemUser

  private constructor(options: ClusterOptions, binaries: PostgresBinaries, user: SystemUser) {
    this.dataFolder = join(options.folder, 'data')
    this.#socketFolder = join(options.folder, 'socket')
    this.url = embeddedUrl(options.folder)
    this.#fsync = options.fsync ?? true
    this.#endsWithUs = options.endsWithUs ?? false
    this.#binaries = binaries
    this.#user = user
  }

  /** Makes the cluster unless it is there. Throws an AppError when the folder cannot be used. */
  static async prepare(options: ClusterOptions): Promise<Cluster> {
    await mkdir(options.folder, { recursive: true, mode: 0o711 })
    const folder = await realpath(options.folder)
    await assertEnterable(folder)
    const binaries = await installBinaries(options.cacheDir)
    await assertEnterable(binaries.folder)
    const cluster = new Cluster({ ...options, folder }, binaries, await postgresUser())
    await cluster.#makeOwnFolder(cluster.#socketFolder)
    const version = await readFileIfThere(join(cluster.dataFolder, 'PG_VERSION'))
    if (version === undefined) await cluster.#initialize()
    else {
      cluster.#assertSameVersion(version.trim())
      await cluster.#takeOver()
    }
    return cluster
  }

  /** Ends what is left of an earlier run: a postmaster, or backends that outlived theirs. */
  async clearLeftovers(): Promise<void> {
    await endClusterProcesses(this.dataFolder)
    await removeStalePidFiles([
      join(this.dataFolder, 'postmaster.pid'),
      join(this.#socketFolder, `.s.PGSQL.${PORT}.lock`),
    ])
  }

  /** The command that becomes the postmaster. SIGINT makes it stop at once, in order (fast shutdown). */
  serverCommand(): [string, ...string[]] {
    const settings = {
      listen_addresses: '',
      // A list of folders: quotes keep spaces and commas.
      unix_socket_directories: `"${this.#socketFolder.replaceAll('"', '""')}"`,
      unix_socket_permissions: '0700',
      port: String(PORT),
      max_connections: '60',
      shared_buffers: '32MB',
      // Statements here touch few rows: workers for parallel plans and for reading ahead only take memory.
      max_parallel_workers: '0',
      max_logical_replication_workers: '0',
      io_method: 'sync',
      jit: 'off',
      min_wal_size: '32MB',
      max_wal_size: '256MB',
      fsync: this.#fsync ? 'on' : 'off',
      timezone: 'UTC',
      log_timezone: 'UTC',
      log_checkpoints: 'off',
    }
    const options = Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
    return this.#asUser('postgres', ['-D', this.dataFolder, ...options], this.#endsWithUs ? 'INT' : 'clear')
  }

  /** Made in a folder beside and renamed: an interrupted initdb leaves nothing that looks like a cluster. */
  async #initialize(): Promise<void> {
    const temporary = `${this.dataFolder}.new`
    await endClusterProcesses(temporary)
    await rm(temporary, { recursive: true, force: true })
    await this.#makeOwnFolder(temporary)
    const [command, ...args] = this.#asUser('initdb', [
      `--pgdata=${temporary}`,
      `--username=${OWNER}`,
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      // Whoever can enter the socket's folder may connect; there is no other way in.
      '--auth-local=trust',
      '--auth-host=reject',
      ...(this.#fsync ? [] : ['--no-sync']),
    ])
    await run(command, args, { cwd: '/', env: postgresEnvironment, timeoutMs: 120_000 })
    await this.#createDatabase(temporary)
    await rename(temporary, this.dataFolder)
    await syncFolder(dirname(this.dataFolder))
  }

  /** In single-user mode: the cluster has its database before anyone can see it. */
  async #createDatabase(dataFolder: string): Promise<void> {
    const [command, ...args] = this.#asUser('postgres', ['--single', '-D', dataFolder, 'postgres'])
    await run(command, args, {
      input: `create database ${DATABASE}\n`,
      cwd: '/',
      env: postgresEnvironment,
    })
  }

  #assertSameVersion(version: string): void {
    if (version === this.#binaries.majorVersion) return
    throw new AppError(
      'unavailable',
      `${this.dataFolder} was made by Postgres ${version}, but this Wrenn brings Postgres ` +
        `${this.#binaries.majorVersion}: dump it with the Wrenn that made it, or set DATABASE_URL.`,
    )
  }

  /** A folder that came from another machine has the uid that our user had there. */
  async #takeOver(): Promise<void> {
    const { uid, gid } = this.#user
    const owner = await stat(this.dataFolder)
    if (owner.uid === uid && owner.gid === gid) return
    // The folder itself comes last: what is broken off is done again.
    await run('chown', ['-R', '--no-dereference', `${uid}:${gid}`, this.dataFolder])
  }

  /** `onOurDeath`: the signal that it gets when this process is gone. */
  #asUser(
    program: 'postgres' | 'initdb',
    args: string[],
    onOurDeath: 'INT' | 'KILL' | 'clear' = 'KILL',
  ): [string, ...string[]] {
    return [
      'setpriv',
      `--reuid=${this.#user.uid}`,
      `--regid=${this.#user.gid}`,
      '--clear-groups',
      '--no-new-privs',
      '--inh-caps=-all',
      '--bounding-set=-all',
      `--pdeathsig=${onOurDeath}`,
      join(this.#binaries.folder, 'bin', program),
      ...args,
    ]
  }

  async #makeOwnFolder(path: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await chown(path, this.#user.uid, this.#user.gid)
    await chmod(path, 0o700)
  }
}

/** All that Postgres sees of our environment: no PG* variable of the operator's shell changes what it does. */
export const postgresEnvironment = { PATH: process.env['PATH'], LC_ALL: 'C' }

async function assertEnterable(folder: string): Promise<void> {
  const closed = await closedFolder(folder)
  if (closed === undefined) return
  throw new AppError(
    'unavailable',
    `Postgres, which runs as a user of its own, cannot enter ${closed}: chmod o+x it, or choose another folder.`,
  )
}
