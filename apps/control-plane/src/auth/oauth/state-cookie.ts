// The login attempt of a browser, in its cookie `oauth_state`: who it is with, until when, and a nonce that is also the
// `state` sent to the provider. The PKCE verifier is derived from the nonce, so that the cookie tells it to nobody.
// All control planes that share a JWT_SECRET understand each other's; that one is used once only is the store's to see.
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

export const stateLifetimeSec = 600

/** What a browser takes with it on the way to the provider. */
export interface Attempt {
  cookie: string
  /** 256 random bits. */
  state: string
  /** RFC 7636, section 4.1. */
  codeVerifier: string
}

/** What a callback's cookie says. */
export type OpenedAttempt =
  | { kind: 'good'; nonce: string; codeVerifier: string }
  /** A good attempt, but another one than the callback's. */
  | { kind: 'other' }
  | { kind: 'bad' }

export class StateCookies {
  readonly #macKey: Buffer
  readonly #verifierKey: Buffer
  readonly #now: () => number

  /** `now`: milliseconds since 1970. */
  constructor(jwtSecret: string, now: () => number = Date.now) {
    this.#macKey = derivedKey(jwtSecret, 'wrenn oauth state')
    this.#verifierKey = derivedKey(jwtSecret, 'wrenn oauth code verifier')
    this.#now = now
  }

  begin(provider: string): Attempt {
    const nonce = randomBytes(32).toString('base64url')
    const expiresSec = Math.floor(this.#now() / 1_000) + stateLifetimeSec
    const content = `v1.${provider}.${expiresSec}.${nonce}`
    return {
      cookie: `${content}.${this.#macOf(content)}`,
      state: nonce,
      codeVerifier: this.#verifierOf(nonce),
    }
  }

  /** Bad: none, changed, expired, or of another provider. */
  open(cookie: string | undefined, { provider, state }: { provider: string; state: string }): OpenedAttempt {
    const [, content = '', of, expiresSec, nonce = '', mac = ''] =
      /^(v1\.([a-z0-9]+)\.(\d+)\.([\w-]{43}))\.([\w-]{43})$/.exec(cookie ?? '') ?? []
    if (!isSame(this.#macOf(content), mac)) return { kind: 'bad' }
    if (of !== provider || Number(expiresSec) * 1_000 <= this.#now()) return { kind: 'bad' }
    if (!isSame(nonce, state)) return { kind: 'other' }
    return { kind: 'good', nonce, codeVerifier: this.#verifierOf(nonce) }
  }

  #macOf(content: string): string {
    return createHmac('sha256', this.#macKey).update(content).digest('base64url')
  }

  #verifierOf(nonce: string): string {
    return createHmac('sha256', this.#verifierKey).update(nonce).digest('base64url')
  }
}

/** HKDF (RFC 5869). The secret's own use is to sign session tokens. */
function derivedKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
}

/** In a time that tells nothing about the first, whose length is known. */
function isSame(secret: string, given: string): boolean {
  const [expected, bytes] = [Buffer.from(secret), Buffer.from(given)]
  return expected.length === bytes.length && timingSafeEqual(expected, bytes)
}
