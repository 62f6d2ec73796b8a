// VMs and Postgres run as users of their own: they must be able to enter every folder on the way to their files.
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The folder nearest to `path`, itself or a parent, that other users cannot enter. `path`: a real path. */
export async function closedFolder(path: string): Promise<string | undefined> {
  const { mode } = await stat(path)
  if ((mode & 0o001) === 0) return path
  return path === dirname(path) ? undefined : await closedFolder(dirname(path))
}
