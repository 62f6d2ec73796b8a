// POST /v1/auth/signup and /v1/auth/login.
import { normalizeEmail, type PublicSchemas } from '@wrenn/contract'
import { logIn, signUp, type AccountDeps, type LoggedIn } from '../services/accounts.ts'
import type { RateLimiter } from '../services/rate-limiter.ts'
import type { PublicHandlers } from './handlers.ts'
import { addressGroup, countUse } from './rate-limits.ts'

export interface AuthDeps extends AccountDeps {
  limiter: RateLimiter | undefined
}

export function authHandlers(deps: AuthDeps): Pick<PublicHandlers, 'signup' | 'login'> {
  return {
    signup: async ({ body, note, address, appendHeader }) => {
      const who = addressGroup(address)
      await countUse(deps.limiter, { name: 'signup', who }, appendHeader)
      const account = await signUp(deps, body)
      note({ userId: account.userId, teamId: account.teamId })
      return { status: 201, body: toWire(account) }
    },
    login: async ({ body, note, address, appendHeader }) => {
      for (const who of [addressGroup(address), normalizeEmail(body.email)])
        await countUse(deps.limiter, { name: 'login', who }, appendHeader)
      const account = await logIn(deps, body)
      note({ userId: account.userId, teamId: account.teamId })
      return { status: 200, body: toWire(account) }
    },
  }
}

function toWire({ token, userId, teamId, email }: LoggedIn): PublicSchemas['AuthResponse'] {
  return { token, user_id: userId, team_id: teamId, email }
}
