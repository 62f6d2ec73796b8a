// Accounts at OAuth providers and the users that they log in.
import type { Account } from './accounts.ts'
import type { Database } from './database.ts'

export interface ProviderAccount {
  provider: string
  providerId: string
}

/** With the user's oldest team. Undefined when it is linked to nobody. */
export async function accountByProvider(
  db: Database,
  { provider, providerId }: ProviderAccount,
): Promise<(Account & { disabledAt: Date | null }) | undefined> {
  return db
    .selectFrom('oauthProviders')
    .innerJoin('users', 'users.id', 'oauthProviders.userId')
    .innerJoin('teamMembers', 'teamMembers.userId', 'users.id')
    .select(['users.id as userId', 'teamMembers.teamId', 'users.email', 'users.disabledAt'])
    .where('oauthProviders.provider', '=', provider)
    .where('oauthProviders.providerId', '=', providerId)
    .orderBy('teamMembers.createdAt')
    .limit(1)
    .executeTakeFirst()
}
