// What each platform of a test would make anew before it can begin: an empty Postgres cluster, and golden snapshots.
// `npm test` names a folder where they are kept for the run; the first test that needs one makes it, as a user's machine
// would, and the others start from a copy. Without that folder, as when one file is run, each makes its own.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isErrno, run } from '@wrenn/base'
import { Cluster } from '../../apps/launcher/src/postgres/index.ts'

/** Every user can enter it. */
const seed = process.env['WRENN_TEST_SEED']
const cacheDir = process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn'

/** Puts a cluster without data into this folder, which is made. */
export async function plantCluster(folder: string): Promise<void> {
  if (seed === undefined) return
  const kept = join(seed, 'cluster')
  await keep(kept, async (fresh) => void (await Cluster.prepare({ cacheDir, folder: fresh, fsync: false })))
  await copy(kept, folder)
}

/** Puts the goldens that other tests have made into this folder, which is made; not into one that is there. */
export async function plantGoldens(folder: string): Promise<void> {
  if (seed !== undefined && !existsSync(folder)) await link(await seedOfGoldens(seed), folder)
}

/** Keeps those of this folder for other tests. Nothing may have damaged them, then or later: the files are the same. */
export async function keepGoldens(folder: string): Promise<void> {
  if (seed === undefined || !existsSync(folder)) return
  const kept = await seedOfGoldens(seed)
  for (const key of await readdir(folder))
    // Not those that are just being made.
    if (!key.startsWith('.')) await keep(join(kept, key), (fresh) => link(join(folder, key), fresh))
}

async function seedOfGoldens(seed: string): Promise<string> {
  const folder = join(seed, 'goldens')
  await mkdir(folder, { recursive: true, mode: 0o711 })
  return folder
}

/** Made beside, then renamed: what other tests see is whole. Of two that are made at once, the first stays. */
async function keep(path: string, make: (fresh: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return
  const fresh = `${seed}/${randomUUID()}`
  try {
    await make(fresh)
    await rename(fresh, path)
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function copy(from: string, to: string, ...options: string[]): Promise<void> {
  await run('cp', ['--archive', '--no-target-directory', ...options, from, to])
}

/** As `copy`, for files that nobody changes. */
async function link(from: string, to: string): Promise<void> {
  const isOneDisk = (await stat(from)).dev === (await stat(dirname(to))).dev
  await copy(from, to, isOneDisk ? '--link' : '--reflink=auto')
}
