// The data folder of a platform, WRENN_DIR: its parts, their modes, and the lock that keeps a second launcher out.
// The folder itself may be entered by all, since VMs and Postgres run as users of their own; its contents are closed.
import { createHash } from 'node:crypto'
import { chmod, mkdir, realpath } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { AppError, isErrno, processRef, SettingsError } from '@wrenn/base'
import { closedFolder } from './closed-folder.ts'
import { readPidFile, removePidFile, writePidFile } from './supervisor/pid-file.ts'
import { assertShortEnough } from './settings.ts'

export class Folders {
  readonly root: string
  readonly postgres: string
  readonly imagesManifest: string
  readonly agentSocket: string

  /** `root`: a real path. */
  constructor(root: string) {
    this.root = root
    this.postgres = join(root, 'postgres')
    this.imagesManifest = join(root, 'images.json')
    this.agentSocket = join(root, 'run', 'agent.sock')
  }

  pidFile(name: string): string {
    return join(this.root, 'run', `${name}.pid`)
  }

  logFile(name: string): string {
    return join(this.root, 'logs', `${name}.log`)
  }
}

/** Makes the folders. Throws a SettingsError when one lies where it cannot be used. */
export async function prepareFolders(given: { folder: string; cacheDir: string }): Promise<Folders> {
  const root = await makeFolder('WRENN_DIR', given.folder, 0o711)
  await makeFolder('WRENN_CACHE_DIR', given.cacheDir, 0o755)
  assertShortEnough(root)
  await chmod(root, 0o711)
  for (const name of ['run', 'logs']) await mkdir(join(root, name), { recursive: true, mode: 0o700 })
  return new Folders(root)
}

async function makeFolder(setting: string, path: string, mode: number): Promise<string> {
  await mkdir(path, { recursive: true, mode })
  const real = await realpath(path)
  const closed = await closedFolder(dirname(real))
  if (closed === undefined) return real
  throw new SettingsError([
    `${setting}: the users that VMs and Postgres run as cannot enter ${closed}: choose another folder, or chmod o+x it`,
  ])
}

/**
 * One launcher per data folder. The lock is an abstract unix socket: the kernel gives it to one process only and takes
 * it back when that ends, however it ends. The pid file says who holds it. Throws an AppError that names the holder.
 */
export async function lockFolder(folders: Folders): Promise<{ release: () => Promise<void> }> {
  const pidFile = folders.pidFile('launcher')
  const name = `wrenn-launcher-${createHash('sha256').update(folders.root).digest('hex').slice(0, 32)}`
  const lock = createServer((socket) => socket.destroy())
  try {
    await listen(lock, `\0${name}`)
  } catch (error) {
    if (!isErrno(error, 'EADDRINUSE')) throw error
    const holder = readPidFile(pidFile)
    throw new AppError(
      'already_exists',
      `Another launcher${holder ? ` (pid ${holder.pid})` : ''} runs on ${folders.root}: ` +
        `stop it${holder ? ` (kill ${holder.pid})` : ''}, or choose another WRENN_DIR and CP_LISTEN_ADDR.`,
      { cause: error },
    )
  }
  const self = processRef(process.pid)
  if (self) writePidFile(pidFile, self)
  return {
    release: async () => {
      removePidFile(pidFile)
      await new Promise((resolve) => lock.close(resolve))
    },
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(path, resolve)
  })
}
