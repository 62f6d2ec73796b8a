// Users with their teams.
import { AppError, newId, type TeamId, type UserId } from '@wrenn/base'
import type { Database } from './database.ts'
import { violatedConstraint } from './errors.ts'

export interface Account {
  userId: UserId
  teamId: TeamId
  email: string
}

/** User, team and membership in one transaction. Throws `email_taken`, also when another signup was quicker. */
export async function accountInsert(
  db: Database,
  user: { email: string; passwordHash: string },
): Promise<Account> {
  const account = { userId: newId('usr'), teamId: newId('team'), email: user.email }
  try {
    await db.transaction().execute(async (trx) => {
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
): Promise<(Account & { passwordHash: string }) | undefined> {
  return db
    .selectFrom('users')
    .innerJoin('teamMembers', 'teamMembers.userId', 'users.id')
    .select(['users.id as userId', 'teamMembers.teamId', 'users.email', 'users.passwordHash'])
    .where('users.email', '=', email)
    .orderBy('teamMembers.createdAt')
    .limit(1)
    .executeTakeFirst()
}
