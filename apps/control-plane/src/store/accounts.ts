// Users with their teams.
import { AppError, newId, type TeamId, type UserId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { violatedConstraint } from './errors.ts'

export interface Account {
  userId: UserId
  teamId: TeamId
  email: string
}

// Any number of ours: the key of an advisory lock under which the first of all users is made.
const firstUserLock = 7_233_106

/**
 * User, team and membership in one transaction. Throws `email_taken`, also when another signup was quicker, and what
 * `unlessFirst` gives when there is a user already.
 */
export async function accountInsert(
  db: Database,
  user: { email: string; passwordHash: string },
  unlessFirst?: () => AppError,
): Promise<Account> {
  const account = { userId: newId('usr'), teamId: newId('team'), email: user.email }
  try {
    await db.transaction().execute(async (trx) => {
      if (unlessFirst) {
        await sql`select pg_advisory_xact_lock(${firstUserLock})`.execute(trx)
        if (await usersExist(trx)) throw unlessFirst()
      }
      await trx
        .insertInto('users')
        .values({ id: account.userId, ...user })
        .execute()
      await trx
        .insertInto('teams')
        .values({ id: account.teamId, name: `${user.email}'s Team` })
        .execute()
      await trx
        .insertInto('teamMembers')
        .values({ teamId: account.teamId, userId: account.userId, role: 'owner' })
        .execute()
    })
    return account
  } catch (error) {
    if (violatedConstraint(error) !== 'users_email_key') throw error
    throw new AppError('email_taken', 'There is an account with this e-mail already', { cause: error })
  }
}

/** With the user's oldest team. Undefined when nobody has the e-mail. */
export async function accountByEmail(
  db: Database,
  email: string,
): Promise<(Account & { passwordHash: string; disabledAt: Date | null }) | undefined> {
  return db
    .selectFrom('users')
    .innerJoin('teamMembers', 'teamMembers.userId', 'users.id')
    .select([
      'users.id as userId',
      'teamMembers.teamId',
      'users.email',
      'users.passwordHash',
      'users.disabledAt',
    ])
    .where('users.email', '=', email)
    .orderBy('teamMembers.createdAt')
    .limit(1)
    .executeTakeFirst()
}

export async function usersExist(db: Database): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined
}
