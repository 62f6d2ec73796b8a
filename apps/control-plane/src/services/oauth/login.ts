// A login through an OAuth provider: where it begins, and what its callback comes to. Every end of a callback is a code
// for the frontend; why is for the log.
import { AppError, type SignupPolicy } from '@wrenn/base'
import { isEmail, normalizeEmail } from '@wrenn/contract'
import { codeChallengeOf, type OAuthProfile, type OAuthProvider } from '../../auth/oauth/provider.ts'
import type { OAuthRegistry } from '../../auth/oauth/registry.ts'
import { stateLifetimeSec, type StateCookies } from '../../auth/oauth/state-cookie.ts'
import type { Tokens } from '../../auth/tokens.ts'
import type { Account } from '../../store/accounts.ts'
import type { Database } from '../../store/database.ts'
import { oauthStateUse } from '../../store/used-oauth-states.ts'
import type { LoggedIn } from '../accounts.ts'
import { accountOfProfile } from './accounts.ts'
import { errorCodeText, providerErrorText } from './error-text.ts'

export interface OAuthDeps {
  db: Database
  tokens: Tokens
  signups: SignupPolicy
  providers: OAuthRegistry
  cookies: StateCookies
}

/** As the contract lists them. */
export type OAuthErrorCode =
  | 'access_denied'
  | 'invalid_state'
  | 'missing_code'
  | 'exchange_failed'
  | 'email_taken'
  | 'internal_error'

/** What the browser brings back. */
export interface OAuthReturn {
  cookie: string | undefined
  error: string | undefined
  state: string | undefined
  code: string | undefined
  iss: string | undefined
}

export type OAuthOutcome = { cookieIsSpent: boolean } & (
  | { account: LoggedIn }
  /** `cause`: for the log. Its message holds no secret. */
  | { error: OAuthErrorCode; cause: Error }
)

/** Throws `provider_not_found`, and `unavailable` when the provider has to be asked first and does not answer. */
export async function beginOAuth(
  { providers, cookies }: OAuthDeps,
  providerName: string,
): Promise<{ location: string; cookie: string }> {
  const provider = providers.provider(providerName)
  const { cookie, state, codeVerifier } = cookies.begin(providerName)
  try {
    const url = await provider.authorizationUrl(state, codeChallengeOf(codeVerifier))
    return { location: url.href, cookie }
  } catch (cause) {
    throw new AppError('unavailable', 'The OAuth provider does not answer; try again', {
      cause: new Error(providerErrorText(cause)),
    })
  }
}

/** The end of a callback that is not a login. */
class OAuthRefusal extends Error {
  readonly code: OAuthErrorCode

  constructor(code: OAuthErrorCode, reason: string) {
    super(reason)
    this.code = code
  }
}

/** Throws `provider_not_found` and nothing else. */
export async function finishOAuth(
  deps: OAuthDeps,
  providerName: string,
  back: OAuthReturn,
): Promise<OAuthOutcome> {
  const provider = deps.providers.provider(providerName)
  const opened = deps.cookies.open(back.cookie, { provider: providerName, state: back.state ?? '' })
  // Of two tabs, the one that began later has the cookie: the callback of the other one does not take it away.
  const cookieIsSpent = opened.kind !== 'other'
  try {
    const isFirstUse =
      opened.kind === 'good' && (await oauthStateUse(deps.db, opened.nonce, stateLifetimeSec))
    if (back.error !== undefined)
      throw new OAuthRefusal('access_denied', `the provider said ${errorCodeText(back.error)}`)
    if (opened.kind !== 'good')
      throw new OAuthRefusal('invalid_state', `the state's cookie is ${opened.kind}`)
    if (!isFirstUse) throw new OAuthRefusal('invalid_state', 'the state was used before')
    if (!back.code) throw new OAuthRefusal('missing_code', 'the provider sent no code')
    if (back.iss !== undefined && back.iss !== provider.issuer)
      throw new OAuthRefusal('invalid_state', 'the answer is from another issuer')
    const profile = await profileOf(provider, back.code, opened.codeVerifier)
    const account = await accountOf(deps, providerName, profile)
    return { cookieIsSpent, account: { ...account, token: await deps.tokens.issue(account) } }
  } catch (error) {
    if (error instanceof OAuthRefusal) return { cookieIsSpent, error: error.code, cause: error }
    const cause = error instanceof Error ? error : new Error(String(error))
    return { cookieIsSpent, error: 'internal_error', cause }
  }
}

async function profileOf(provider: OAuthProvider, code: string, verifier: string): Promise<OAuthProfile> {
  try {
    const { id, email } = await provider.exchange(code, verifier)
    if (!/^[\x21-\x7e]{1,255}$/.test(id)) throw new Error('the id of the account is none')
    if (!isEmail(email)) throw new Error('the e-mail address of the account is none')
    return { id, email: normalizeEmail(email) }
  } catch (cause) {
    throw new OAuthRefusal('exchange_failed', providerErrorText(cause))
  }
}

async function accountOf(deps: OAuthDeps, providerName: string, profile: OAuthProfile): Promise<Account> {
  try {
    return await accountOfProfile(deps, providerName, profile)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'email_taken') throw new OAuthRefusal('email_taken', error.message)
    if (error.code === 'forbidden') throw new OAuthRefusal('access_denied', error.message)
    throw error
  }
}
