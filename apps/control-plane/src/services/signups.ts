// Who may get an account (SIGNUPS). The first account of a platform may always be made: it is the operator's.
import { AppError, type SignupPolicy } from '@wrenn/base'
import { usersExist } from '../store/accounts.ts'
import type { Database } from '../store/database.ts'

/** `email`: normalized. True when only the first user of all may have this account. Throws `forbidden`. */
export async function assertMaySignUp(db: Database, policy: SignupPolicy, email: string): Promise<boolean> {
  if (isWelcome(policy, email)) return false
  if (await usersExist(db)) throw signupsForbidden(policy)
  return true
}

export function signupsForbidden(policy: SignupPolicy): AppError {
  const who = typeof policy === 'string' ? 'Nobody' : `Only e-mail addresses of ${policy.domains.join(', ')}`
  return new AppError('forbidden', `${who} may sign up here: ask the operator for an account`)
}

function isWelcome(policy: SignupPolicy, email: string): boolean {
  if (typeof policy === 'string') return policy === 'open'
  return policy.domains.includes(email.slice(email.lastIndexOf('@') + 1))
}
