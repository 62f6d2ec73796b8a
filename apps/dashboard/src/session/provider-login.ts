// A login through a provider leaves the app and comes back to /auth/$provider/callback. This tab remembers that it began
// one and where it was: a token that comes without it was sent by somebody else, who wants us to work in their account.
import { takeCallback } from './callback.ts'
import { safeReturnTo } from './return-to.ts'
import { sessions } from './session.ts'

const storageKey = 'wrenn.provider-login'

export type LoginOutcome = { returnTo: string } | { problem: string }

const again = 'Go back to the sign-in page and try again.'

/** A sentence for each code that the server sends, and what to do. */
const loginProblems: Readonly<Record<string, string>> = {
  access_denied:
    'You have declined the sign-in, or this platform does not take new accounts. Try again and allow it, or ask the operator of this platform for an account.',
  invalid_state: `This sign-in has taken too long, was used before, or began in another browser. ${again}`,
  missing_code: `The provider sent you back without a code, so nobody was signed in. ${again}`,
  exchange_failed:
    'The provider did not confirm who you are, or has no verified e-mail address of yours. Verify your primary address there, then try again.',
  email_taken:
    'An account with your e-mail address exists already, and it is not connected to this provider. Sign in with e-mail and password.',
  internal_error:
    'Something went wrong on our side. Try again in a minute; if it stays so, tell the operator of this platform.',
}

/** Call right before going to the provider. */
export function beginProviderLogin(provider: string, to: string): void {
  sessionStorage.setItem(storageKey, JSON.stringify({ provider, to }))
}

/** Begins the session that came with the callback, if one did. */
export function finishProviderLogin(): LoginOutcome {
  const begun = takeBegun()
  const callback = takeCallback()
  // A reload: what came with the address was taken out of it.
  if (!callback || callback.params.size === 0) return { problem: `There is nothing to finish here. ${again}` }
  const { provider, params } = callback
  const error = params.get('error')
  if (error !== null)
    return { problem: loginProblems[error] ?? `The sign-in failed (${error.slice(0, 40)}). ${again}` }
  if (begun?.provider !== provider) return { problem: `This sign-in did not begin in this tab. ${again}` }
  const [token, userId, teamId, email] = ['token', 'user_id', 'team_id', 'email'].map((key) =>
    params.get(key),
  )
  try {
    sessions.begin({
      token: token ?? '',
      user_id: userId ?? '',
      team_id: teamId ?? '',
      email: email ?? '',
    })
  } catch {
    return { problem: `What came back from the sign-in was not complete. ${again}` }
  }
  return { returnTo: safeReturnTo(begun.to, location.origin) }
}

function takeBegun(): { provider: string; to: unknown } | undefined {
  const text = sessionStorage.getItem(storageKey)
  sessionStorage.removeItem(storageKey)
  if (text === null) return undefined
  return JSON.parse(text) as { provider: string; to: unknown }
}
