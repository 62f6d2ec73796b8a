// Users as the operator and the check of a session see them.
import type { TeamId, UserId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'

export interface UserSummary {
  email: string
  teamId: TeamId
  createdAt: Date
  disabledAt: Date | null
}

/** False when there is no such user. Sessions from before end. */
export async function userSetPassword(db: Database, email: string, passwordHash: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set({ passwordHash, sessionsFrom: sql<Date>`now()` })
    .where('email', '=', email)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** False when there is no such user. Sessions from before a disabling do not come back afterwards. */
export async function userSetDisabled(db: Database, email: string, disabled: boolean): Promise<boolean> {
  const change = disabled
    ? { disabledAt: sql<Date>`coalesce(disabled_at, now())`, sessionsFrom: sql<Date>`now()` }
    : { disabledAt: null }
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set(change)
    .where('email', '=', email)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export async function userList(db: Database): Promise<UserSummary[]> {
  return db
    .selectFrom('users')
    .innerJoin('teamMembers', 'teamMembers.userId', 'users.id')
    .select(['users.email', 'teamMembers.teamId', 'users.createdAt', 'users.disabledAt'])
    .orderBy('users.createdAt')
    .orderBy('users.email')
    .execute()
}

/**
 * The path of every request with a token: is the user still there, enabled, and in the team? `issuedAtSec`: the token's
 * `iat`, whole seconds, so that one issued in the second of a password reset is let through.
 */
export async function sessionIsLive(
  db: Database,
  session: { userId: UserId; teamId: TeamId; issuedAtSec: number },
): Promise<boolean> {
  const row = await db
    .selectFrom('users')
    .innerJoin('teamMembers', 'teamMembers.userId', 'users.id')
    .select('users.id')
    .where('users.id', '=', session.userId)
    .where('teamMembers.teamId', '=', session.teamId)
    .where('users.disabledAt', 'is', null)
    .where(
      sql<boolean>`(sessions_from is null or date_trunc('second', sessions_from) <= to_timestamp(${session.issuedAtSec}))`,
    )
    .executeTakeFirst()
  return row !== undefined
}
