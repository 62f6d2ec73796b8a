// What the operator does with accounts: `npm run user`. SIGNUPS does not bind the operator.
import { randomBytes } from 'node:crypto'
import { AppError } from '@wrenn/base'
import { isEmail, normalizeEmail } from '@wrenn/contract'
import { hashPassword } from '../auth/passwords.ts'
import { accountInsert } from '../store/accounts.ts'
import type { Database } from '../store/database.ts'
import { userList, userSetDisabled, userSetPassword, type UserSummary } from '../store/users.ts'

/** Returns the password, which is shown once. Throws `email_taken`. */
export async function addUser(db: Database, emailText: string): Promise<string> {
  const email = emailOf(emailText)
  const password = newPassword()
  await accountInsert(db, { email, passwordHash: await hashPassword(password) })
  return password
}

/** Returns the new password. Every session of the user ends; API keys go on. Throws `not_found`. */
export async function resetPassword(db: Database, emailText: string): Promise<string> {
  const password = newPassword()
  const found = await userSetPassword(db, emailOf(emailText), await hashPassword(password))
  if (!found) throw noSuchUser(emailText)
  return password
}

/** Login, tokens and API keys of a disabled user are refused at once; sandboxes run on. Throws `not_found`. */
export async function setUserDisabled(db: Database, emailText: string, disabled: boolean): Promise<void> {
  if (!(await userSetDisabled(db, emailOf(emailText), disabled))) throw noSuchUser(emailText)
}

/** Oldest first. */
export async function listUsers(db: Database): Promise<UserSummary[]> {
  return userList(db)
}

function emailOf(text: string): string {
  if (!isEmail(text)) throw new AppError('invalid_request', `${text} is not an e-mail address`)
  return normalizeEmail(text)
}

/** 120 random bits. */
function newPassword(): string {
  return randomBytes(15).toString('base64url')
}

function noSuchUser(email: string): AppError {
  return new AppError('not_found', `There is no user ${email}`)
}
