// From a provider's profile to a user of ours: the one that is linked to it, or a new one. Safe when many callbacks of
// one account come at once, on several control planes.
import { AppError, type SignupPolicy } from '@wrenn/base'
import type { OAuthProfile } from '../../auth/oauth/provider.ts'
import { accountByEmail, accountInsert, type Account } from '../../store/accounts.ts'
import type { Database } from '../../store/database.ts'
import { accountByProvider, type ProviderAccount } from '../../store/oauth-providers.ts'
import { assertMaySignUp, signupsForbidden } from '../signups.ts'

export interface ProfileDeps {
  db: Database
  signups: SignupPolicy
}

/**
 * `email`: normalized. Throws `email_taken` when the address belongs to an account that is not linked to this profile,
 * and `forbidden` when SIGNUPS does not allow a new account or the user is disabled.
 */
export async function accountOfProfile(
  deps: ProfileDeps,
  provider: string,
  { id, email }: OAuthProfile,
): Promise<Account> {
  const link = { provider, providerId: id }
  const account = (await linked(deps.db, link)) ?? (await registered(deps, link, email))
  if (account.disabledAt) throw new AppError('forbidden', 'The account is disabled')
  const { userId, teamId, email: kept } = account
  return { userId, teamId, email: kept }
}

type Found = Account & { disabledAt: Date | null }

function linked(db: Database, link: ProviderAccount): Promise<Found | undefined> {
  return accountByProvider(db, link)
}

async function registered(deps: ProfileDeps, link: ProviderAccount, email: string): Promise<Found> {
  try {
    return { ...(await register(deps, link, email)), disabledAt: null }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    // Another callback of the same account may have been quicker: it is what stood in the way, and its user is ours.
    const quicker = await linked(deps.db, link)
    if (quicker) return quicker
    throw error
  }
}

async function register(
  { db, signups }: ProfileDeps,
  link: ProviderAccount,
  email: string,
): Promise<Account> {
  // Before SIGNUPS: whoever has an account is told so, and not that there are none to be had.
  if (await accountByEmail(db, email))
    throw new AppError('email_taken', 'There is an account with this e-mail already')
  const onlyFirst = await assertMaySignUp(db, signups, email)
  const unlessFirst = onlyFirst ? () => signupsForbidden(signups) : undefined
  return accountInsert(db, { email, passwordHash: null, link }, unlessFirst)
}
