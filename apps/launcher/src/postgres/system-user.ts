// The user that Postgres runs as. It refuses to run as root, and initdb looks its user up in passwd. The name is ours,
// so that a `postgres` user of the distribution, which may own other clusters, has no part in it.
import { AppError, CommandError, pollUntil, run } from '@wrenn/base'

export interface SystemUser {
  uid: number
  gid: number
}

const NAME = 'wrenn-postgres'

/** Finds the user, and adds it when it is missing. Needs root. */
export async function postgresUser(): Promise<SystemUser> {
  const found = await findUser()
  if (found) return found
  // Fails while another program holds the lock of /etc/passwd, and when another launcher was quicker.
  return await pollUntil(`the system user ${NAME} is added`, addUser, { timeoutMs: 20_000, intervalMs: 200 })
}

async function addUser(): Promise<SystemUser | undefined> {
  try {
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir=/nonexistent',
      '--shell=/usr/sbin/nologin',
      NAME,
    ])
  } catch (error) {
    const found = await findUser()
    if (found) return found
    throw error
  }
  return await findUser()
}

async function findUser(): Promise<SystemUser | undefined> {
  try {
    const { stdout } = await run('getent', ['passwd', NAME])
    const [uid, gid] = stdout.split(':').slice(2, 4).map(Number)
    if (!uid || !gid) throw new AppError('internal_error', `The user ${NAME} has no usable uid: ${stdout}`)
    return { uid, gid }
  } catch (error) {
    // getent(1): 2 says that there is no such key.
    if (error instanceof CommandError && error.code === 2) return undefined
    throw error
  }
}
