// Files that must survive a crash: written beside the target, fsynced, renamed, and the folder fsynced.
import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Whole or not at all, also when it is called twice at once. Whatever the umask, the file gets `mode`. */
export async function writeFileDurable(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const commit = await stageFile(path, content, mode)
  await commit()
}

/** The slow part of `writeFileDurable` ahead of time: the file is there once the function that comes back has run. */
export async function stageFile(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<() => Promise<void>> {
  const temporary = `${path}.${randomUUID()}.tmp`
  const orRemove = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }
  await orRemove(async () => {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.chmod(mode)
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
  })
  return async () => {
    await orRemove(() => rename(temporary, path))
    await syncFolder(dirname(path))
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** The file's text, or undefined when there is no such file. */
export async function readFileIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

export function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
