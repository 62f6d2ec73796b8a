// The secret of a single machine that sets no JWT_SECRET: generated once, kept in the data folder for its owner only.
import { randomBytes } from 'node:crypto'
import { link, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, isErrno, readFileIfThere, writeFileDurable } from '@wrenn/base'
import { StartError } from '../start-error.ts'

/** Safe when several start at once: the first to link its file wins, and all read that one. */
export async function keptJwtSecret(dataFolder: string): Promise<string> {
  const path = join(dataFolder, 'jwt-secret')
  try {
    await mkdir(dataFolder, { recursive: true })
    if ((await readFileIfThere(path)) === undefined) await create(path)
    const secret = (await readFileIfThere(path))?.trim() ?? ''
    if (secret.length >= 32) return secret
  } catch (cause) {
    throw new StartError(`JWT_SECRET: is not set, and ${path} cannot be used: ${errorText(cause)}`, { cause })
  }
  throw new StartError(`JWT_SECRET: is not set, and ${path} holds fewer than 32 characters: remove it`)
}

async function create(path: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await writeFileDurable(temporary, `${randomBytes(32).toString('hex')}\n`, 0o600)
    await link(temporary, path)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  } finally {
    await rm(temporary, { force: true })
  }
}
