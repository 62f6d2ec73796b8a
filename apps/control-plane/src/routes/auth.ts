// POST /v1/auth/signup and /v1/auth/login.
import type { PublicSchemas } from '@wrenn/contract'
import { logIn, signUp, type AccountDeps, type LoggedIn } from '../services/accounts.ts'
import type { PublicHandlers } from './handlers.ts'

export function authHandlers(deps: AccountDeps): Pick<PublicHandlers, 'signup' | 'login'> {
  return {
    signup: async ({ body, note }) => {
      const account = await signUp(deps, body)
      note({ userId: account.userId, teamId: account.teamId })
      return { status: 201, body: toWire(account) }
    },
    login: async ({ body, note }) => {
      const account = await logIn(deps, body)
      note({ userId: account.userId, teamId: account.teamId })
      return { status: 200, body: toWire(account) }
    },
  }
}

function toWire({ token, userId, teamId, email }: LoggedIn): PublicSchemas['AuthResponse'] {
  return { token, user_id: userId, team_id: teamId, email }
}
