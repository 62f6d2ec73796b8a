// `npm run user -- add | reset-password | disable | enable EMAIL, or list`: accounts, for the operator. Works on the
// database of the running platform: DATABASE_URL, else the embedded one in WRENN_DIR, both also from .env.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, createLogger, errorText, SettingsError } from '@wrenn/base'
import {
  addUser,
  listUsers,
  resetPassword,
  setUserDisabled,
} from '../apps/control-plane/src/services/users.ts'
import { openDatabase, type Database } from '../apps/control-plane/src/store/database.ts'
import { embeddedUrl } from '../apps/launcher/src/postgres/index.ts'
import { parseSettings, readEnvironment } from '../apps/launcher/src/settings.ts'

const usage = 'usage: npm run user -- add | reset-password | disable | enable EMAIL, or list'

const actions: Record<string, (db: Database, email: string) => Promise<string>> = {
  add: async (db, email) => `${email} may log in with this password, shown once: ${await addUser(db, email)}`,
  'reset-password': async (db, email) =>
    `${email} is logged out everywhere. The new password, shown once: ${await resetPassword(db, email)}`,
  disable: async (db, email) => {
    await setUserDisabled(db, email, true)
    return `${email} is disabled: login, tokens and API keys are refused from now on. Sandboxes run on.`
  },
  enable: async (db, email) => {
    await setUserDisabled(db, email, false)
    return `${email} is enabled: login and API keys work again.`
  },
}

try {
  console.log(await command(process.argv.slice(2)))
} catch (error) {
  const isUsers = error instanceof AppError || error instanceof SettingsError
  console.error(isUsers ? error.message : `The database does not answer: ${errorText(error)}`)
  process.exitCode = 1
}

async function command([name = '', email, ...rest]: string[]): Promise<string> {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  const complete = name === 'list' ? email === undefined : action && email !== undefined && rest.length === 0
  if (!complete) throw new AppError('invalid_request', usage)
  const db = openDatabase(await databaseUrl(), createLogger('user', 'warn'))
  try {
    return action && email !== undefined ? await action(db, email) : await table(db)
  } finally {
    await db.destroy()
  }
}

async function databaseUrl(): Promise<string> {
  const { databaseUrl, folder } = parseSettings(await readEnvironment())
  if (databaseUrl !== undefined) return databaseUrl
  const postgres = join(folder, 'postgres')
  if (existsSync(join(postgres, 'socket', '.s.PGSQL.5432'))) return embeddedUrl(postgres)
  throw new AppError(
    'unavailable',
    `No platform runs on ${folder}: start it with npm start, or set WRENN_DIR`,
  )
}

async function table(db: Database): Promise<string> {
  const users = await listUsers(db)
  const lines = users.map(({ email, teamId, createdAt, disabledAt }) => {
    const state = disabledAt ? `disabled since ${disabledAt.toISOString()}` : 'enabled'
    return `${email}  ${teamId}  since ${createdAt.toISOString()}  ${state}`
  })
  return lines.length > 0 ? lines.join('\n') : 'There is no user yet: npm run user -- add EMAIL'
}
