// Signup and login with e-mail and password.
import { AppError, type SignupPolicy } from '@wrenn/base'
import { normalizeEmail } from '@wrenn/contract'
import { dummyHash, hashPassword, verifyPassword } from '../auth/passwords.ts'
import type { Tokens } from '../auth/tokens.ts'
import { accountByEmail, accountInsert, type Account } from '../store/accounts.ts'
import type { Database } from '../store/database.ts'
import { assertMaySignUp, signupsForbidden } from './signups.ts'

export interface AccountDeps {
  db: Database
  tokens: Tokens
  signups: SignupPolicy
}

export interface Credentials {
  email: string
  password: string
}

export type LoggedIn = Account & { token: string }

const maxPasswordBytes = 1_024

/** Makes user, team and membership. Throws `email_taken`, and `forbidden` when SIGNUPS does not allow it. */
export async function signUp(
  { db, tokens, signups }: AccountDeps,
  { email: emailText, password }: Credentials,
): Promise<LoggedIn> {
  if (Buffer.byteLength(password) > maxPasswordBytes) {
    throw new AppError('invalid_request', `password: must have at most ${maxPasswordBytes} bytes`)
  }
  const email = normalizeEmail(emailText)
  const onlyFirst = await assertMaySignUp(db, signups, email)
  const passwordHash = await hashPassword(password)
  const unlessFirst = onlyFirst ? () => signupsForbidden(signups) : undefined
  const account = await accountInsert(db, { email, passwordHash }, unlessFirst)
  return { ...account, token: await tokens.issue(account) }
}

/**
 * One answer and one duration for an unknown e-mail, a wrong password, a user without one (OAuth only) and a disabled
 * user: none tells who has an account.
 */
export async function logIn(
  { db, tokens }: AccountDeps,
  { email, password }: Credentials,
): Promise<LoggedIn> {
  const found = await accountByEmail(db, normalizeEmail(email))
  const matches = await verifyPassword(password, found?.passwordHash ?? dummyHash)
  if (!found || !matches || found.disabledAt)
    throw new AppError('unauthorized', 'E-mail or password is wrong')
  const { userId, teamId, email: kept } = found
  return { userId, teamId, email: kept, token: await tokens.issue({ userId, teamId, email: kept }) }
}
