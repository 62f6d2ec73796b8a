// The session of this tab: kept in sessionStorage, which other tabs do not see and which ends with the tab. Whoever reads
// the store learns of its end: signed out, expired, or refused by the server.

export interface Session {
  token: string
  userId: string
  teamId: string
  email: string
  /** Milliseconds since 1970, of the token. */
  expiresAtMs: number
}

type SessionEnd = 'signed_out' | 'expired'

/** A session as the API answers it (snake_case). */
export interface WireSession {
  token: string
  user_id: string
  team_id: string
  email: string
}

const storageKey = 'wrenn.session'

class SessionStore {
  #current = read()
  #lastEnd: SessionEnd | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #listeners = new Set<() => void>()

  constructor() {
    this.#watchExpiry()
  }

  get current(): Session | undefined {
    // A machine that was asleep has missed its timer.
    if (this.#current && this.#current.expiresAtMs <= Date.now()) this.end('expired', this.#current.token)
    return this.#current
  }

  /** Why there is no session any more; undefined when there never was one, or when it has been said. */
  get lastEnd(): SessionEnd | undefined {
    return this.#lastEnd
  }

  /** Throws when the token is none, or has expired already. */
  begin({ token, user_id: userId, team_id: teamId, email }: WireSession): Session {
    const session = { token, userId, teamId, email, expiresAtMs: expiryOf(token) }
    if (session.expiresAtMs <= Date.now()) throw new Error('This session has expired already: sign in again')
    sessionStorage.setItem(storageKey, JSON.stringify(session))
    this.#lastEnd = undefined
    this.#set(session)
    return session
  }

  /** Nothing happens when the session of this token has ended already: a late 401 does not end the next one. */
  end(reason: SessionEnd, token: string): void {
    if (this.#current?.token !== token) return
    // Whoever signs out leaves nothing behind. After an expiry one goes on: with the same terminals, for example.
    if (reason === 'signed_out') sessionStorage.clear()
    else sessionStorage.removeItem(storageKey)
    this.#lastEnd = reason
    this.#set(undefined)
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #set(session: Session | undefined): void {
    this.#current = session
    this.#watchExpiry()
    for (const listener of this.#listeners) listener()
  }

  #watchExpiry(): void {
    clearTimeout(this.#timer)
    const session = this.#current
    if (!session) return
    this.#timer = setTimeout(
      () => this.end('expired', session.token),
      Math.max(0, session.expiresAtMs - Date.now()),
    )
  }
}

function read(): Session | undefined {
  try {
    const value = JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') as Session | null
    return value && value.expiresAtMs > Date.now() ? value : undefined
  } catch {
    // Not ours, or damaged: as if there were none.
    return undefined
  }
}

/** RFC 7519, section 4.1.4. The token is read, not checked: the server does that. */
function expiryOf(token: string): number {
  const payload = token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/') ?? ''
  const { exp } = JSON.parse(atob(payload)) as { exp?: unknown }
  if (typeof exp !== 'number') throw new Error('The token does not say when it expires')
  return exp * 1_000
}

export const sessions = new SessionStore()
