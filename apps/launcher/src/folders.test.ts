import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { SettingsError } from '@wrenn/base'
import { lockFolder, prepareFolders } from './folders.ts'
import { readPidFile } from './supervisor/pid-file.ts'

describe('the data folder', () => {
  it('may be entered by other users, its contents only by root, and goes by its real path', async () => {
    await withFolder(async (folder) => {
      await symlink(folder, `${folder}-link`)
      try {
        const folders = await prepareFolders({
          folder: join(`${folder}-link`, 'data'),
          cacheDir: join(folder, 'cache'),
        })
        assert.equal(folders.root, join(folder, 'data'))
        assert.equal((await stat(folders.root)).mode & 0o777, 0o711)
        assert.equal((await stat(join(folders.root, 'run'))).mode & 0o777, 0o700)
        assert.equal((await stat(join(folders.root, 'logs'))).mode & 0o777, 0o700)
      } finally {
        await rm(`${folder}-link`)
      }
    })
  })

  it('must not lie where other users cannot enter', async () => {
    await withFolder(async (folder) => {
      await chmod(folder, 0o700)
      const open = await mkdtemp(join(tmpdir(), 'wrenn-open-'))
      await chmod(open, 0o711)
      try {
        await assert.rejects(
          prepareFolders({ folder: join(folder, 'data'), cacheDir: open }),
          (error) => error instanceof SettingsError && error.message.includes(`cannot enter ${folder}:`),
        )
        await assert.rejects(
          prepareFolders({ folder: open, cacheDir: join(folder, 'cache') }),
          /^SettingsError: WRENN_CACHE_DIR:/,
        )
      } finally {
        await rm(open, { recursive: true })
      }
    })
  })

  it('has one launcher at a time; another one is told its pid', async () => {
    await withFolder(async (folder) => {
      const folders = await prepareFolders({ folder, cacheDir: join(folder, 'cache') })
      const lock = await lockFolder(folders)
      assert.equal(readPidFile(folders.pidFile('launcher'))?.pid, process.pid)
      await assert.rejects(
        lockFolder(folders),
        new RegExp(`Another launcher \\(pid ${process.pid}\\) runs on`),
      )
      await lock.release()
      await (await lockFolder(folders)).release()
      assert.equal(readPidFile(folders.pidFile('launcher')), undefined)
    })
  })
})

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wrenn-folders-'))
  await chmod(folder, 0o711)
  try {
    await test(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}
