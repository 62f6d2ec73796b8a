// GET /v1/auth/oauth/{provider} and its callback. Both answer browsers with redirects that nobody keeps or passes on:
// they carry a state, or a session token.
import { errorText, type Logger } from '@wrenn/base'
import { stateLifetimeSec } from '../auth/oauth/state-cookie.ts'
import type { LoggedIn } from '../services/accounts.ts'
import { beginOAuth, finishOAuth, type OAuthDeps, type OAuthErrorCode } from '../services/oauth/login.ts'
import type { PublicHandlers } from './handlers.ts'

export interface OAuthRouteDeps {
  oauth: OAuthDeps & {
    /** Base of this API as browsers reach it. */
    publicUrl: () => string
    /** Base of the frontend. */
    redirectUrl: () => string
  }
  logger: Logger
}

export function oauthHandlers({
  oauth,
  logger,
}: OAuthRouteDeps): Pick<PublicHandlers, 'oauthRedirect' | 'oauthCallback'> {
  return {
    oauthRedirect: async ({ params }) => {
      const { location, cookie } = await beginOAuth(oauth, params.provider)
      return redirect(location, stateCookie(oauth.publicUrl(), cookie, stateLifetimeSec))
    },
    oauthCallback: async ({ params: { provider }, query, cookies, note }) => {
      const { error, state, code, iss } = query
      const back = { cookie: cookies.oauth_state, error, state, code, iss }
      const outcome = await finishOAuth(oauth, provider, back)
      const cleared = outcome.cookieIsSpent ? stateCookie(oauth.publicUrl(), '', 0) : undefined
      const target = `${oauth.redirectUrl()}/auth/${provider}/callback`
      if ('account' in outcome) {
        const { account } = outcome
        note({ userId: account.userId, teamId: account.teamId })
        return redirect(`${target}?${sessionQuery(account)}`, cleared)
      }
      const failed: OAuthErrorCode[] = ['exchange_failed', 'internal_error']
      const result = failed.includes(outcome.error) ? 'failed' : 'refused'
      note({ outcome: result, code: outcome.error, reason: errorText(outcome.cause) })
      if (outcome.error === 'internal_error')
        logger.error({ op: 'oauthLogin', outcome: result, provider, stack: outcome.cause.stack })
      return redirect(`${target}?error=${outcome.error}`, cleared)
    },
  }
}

function sessionQuery({ token, userId, teamId, email }: LoggedIn): string {
  return new URLSearchParams({ token, user_id: userId, team_id: teamId, email }).toString()
}

function redirect(
  location: string,
  cookie: string | undefined,
): { status: 302; headers: Record<string, string> } {
  const headers = {
    location,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    ...(cookie === undefined ? {} : { 'set-cookie': cookie }),
  }
  return { status: 302, headers }
}

/** `maxAgeSec` 0 removes it. Lax (RFC 6265bis): it comes back with the provider's redirect, and with no other site's. */
function stateCookie(publicUrl: string, value: string, maxAgeSec: number): string {
  const { protocol, pathname } = new URL(publicUrl)
  const path = `${pathname.replace(/\/$/, '')}/v1/auth/oauth`
  const secure = protocol === 'https:' ? '; Secure' : ''
  return `oauth_state=${value}; Max-Age=${maxAgeSec}; Path=${path}; HttpOnly; SameSite=Lax${secure}`
}
