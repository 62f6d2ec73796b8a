// POST /v1/auth/signup and /v1/auth/login; GET /v1/auth/providers and /v1/me.
import { normalizeEmail, type PublicSchemas } from '@wrenn/contract'
import { logIn, signUp, type AccountDeps, type LoggedIn } from '../services/accounts.ts'
import type { OAuthRegistry } from '../auth/oauth/registry.ts'
import { whoIs } from '../services/me.ts'
import type { RateLimiter } from '../services/rate-limiter.ts'
import type { PublicHandlers } from './handlers.ts'
import { addressGroup, countUse } from './rate-limits.ts'

type AuthOperation = 'signup' | 'login' | 'listProviders' | 'getMe'

export interface AuthDeps extends AccountDeps {
  limiter: RateLimiter | undefined
  oauth: { providers: OAuthRegistry }
}

export function authHandlers(deps: AuthDeps): Pick<PublicHandlers, AuthOperation> {
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
    listProviders: async () => {
      const signups = typeof deps.signups === 'string' ? deps.signups : ('domains' as const)
      const oauth = deps.oauth.providers.list().map(({ name, title }) => ({ name, title }))
      return { status: 200, body: { signups, oauth } }
    },
    getMe: async ({ auth }) => ({ status: 200, body: await whoIs(deps.db, auth) }),
  }
}

function toWire({ token, userId, teamId, email }: LoggedIn): PublicSchemas['AuthResponse'] {
  return { token, user_id: userId, team_id: teamId, email }
}
