// Writable disks: sparse raw ext4 images. One is formatted when a golden is made; every sandbox gets a copy of the
// golden's, by reflink where the filesystem can, else of the few extents that hold data.
import { constants } from 'node:fs'
import { copyFile, open, type FileHandle } from 'node:fs/promises'
import { isErrno, KIB, MIB, run } from '@wrenn/base'

export interface Extent {
  offset: number
  length: number
}

export async function formatDisk(path: string, sizeMib: number): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.truncate(sizeMib * MIB)
  } finally {
    await file.close()
  }
  await run('mke2fs', [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-m',
    '0',
    '-E',
    'lazy_itable_init=1,lazy_journal_init=1',
    path,
  ])
}

/** The parts of a sparse file that hold data. */
export async function dataExtents(hostkit: string, path: string): Promise<Extent[]> {
  const { stdout } = await run(hostkit, ['extents', path])
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [offset, length] = line.split(' ').map(Number)
      return { offset: offset ?? 0, length: length ?? 0 }
    })
}

/** Copies a sparse file whose data lies in `extents`. The copy is as sparse. */
export async function cloneSparse(source: string, target: string, extents: readonly Extent[]): Promise<void> {
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
    return
  } catch (error) {
    if (!isErrno(error, 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY')) throw error
  }
  const from = await open(source, 'r')
  try {
    const to = await open(target, 'w', 0o600)
    try {
      await to.truncate((await from.stat()).size)
      await copyExtents(from, to, extents)
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}

async function copyExtents(from: FileHandle, to: FileHandle, extents: readonly Extent[]): Promise<void> {
  const buffer = Buffer.allocUnsafe(256 * KIB)
  for (const { offset, length } of extents) {
    for (let done = 0; done < length;) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, length - done), offset + done)
      if (bytesRead === 0) throw new Error(`the disk ends before ${offset + length} bytes`)
      // On a full disk a write may end early, and the next one says why.
      const { bytesWritten } = await to.write(buffer, 0, bytesRead, offset + done)
      done += bytesWritten
    }
  }
}
