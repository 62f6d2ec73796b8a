// Users with their teams.
import { AppError, newId, type TeamId, type UserId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { violatedConstraint } from './errors.ts'
import type { ProviderAccount } from './oauth-providers.ts'

export interface Account {
  userId: UserId
  teamId: TeamId
  email: string
}

/** Someone with a password, or with an account at an OAuth provider. */
export interface NewUser {
  email: string
  passwordHash: string | null
  link?: ProviderAccount
}

// Any number of ours: the key of an advisory lock under which the first of all users is made.
const firstUserLock = 7_233_106

/**
 * User, team, membership and link in one transaction. Throws `email_taken`, also when another signup was quicker,
 * `already_exists` when the provider's account is linked to a user, and what `unlessFirst` gives when there is a user
 * already.
 */
export async function accountInsert(
  db: Database,
  { email, passwordHash, link }: NewUser,
  unlessFirst?: () => AppError,
): Promise<Account> {
  const account = { userId: newId('usr'), teamId: newId('team'), email }
  try {
    await db.transaction().execute(async (trx) => {
      if (unlessFirst) {
        await sql`select pg_advisory_xact_lock(${firstUserLock})`.execute(trx)
        if (await usersExist(trx)) throw unlessFirst()
      }
      await trx.insertInto('users').values({ id: account.userId, email, passwordHash }).execute()
      await trx
        .insertInto('teams')
        .values({ id: account.teamId, name: `${email}'s Team` })
        .execute()
      await trx
        .insertInto('teamMembers')
        .values({ teamId: account.teamId, userId: account.userId, role: 'owner' })
        .execute()
      if (!link) return
      await trx
        .insertInto('oauthProviders')
        .values({ ...link, userId: account.userId, email })
        .execute()
    })
    return account
  } catch (error) {
    throw refusal(error)
  }
}

function refusal(error: unknown): unknown {
  const constraint = violatedConstraint(error)
  if (constraint === 'users_email_key')
    return new AppError('email_taken', 'There is an account with this e-mail already', { cause: error })
  if (constraint === 'oauth_providers_pkey')
    return new AppError('already_exists', 'This account of the provider has a user already', { cause: error })
  return error
}

/** With the user's oldest team. Undefined when nobody has the e-mail. */
export async function accountByEmail(
  db: Database,
  email: string,
): Promise<(Account & { passwordHash: string | null; disabledAt: Date | null }) | undefined> {
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

export async function teamById(db: Database, id: TeamId): Promise<{ id: TeamId; name: string } | undefined> {
  return db.selectFrom('teams').select(['id', 'name']).where('id', '=', id).executeTakeFirst()
}

export async function usersExist(db: Database): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined
}
