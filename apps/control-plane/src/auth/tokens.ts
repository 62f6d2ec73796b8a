// Session tokens: JWT (RFC 7519), HS256 and nothing else (RFC 8725, section 3.1), valid for six hours. Whether
// its user is still welcome is authenticate.ts's to ask.
import { AppError, parseId, type TeamId, type UserId } from '@wrenn/base'
import { errors, jwtVerify, SignJWT } from 'jose'

export interface Session {
  userId: UserId
  teamId: TeamId
  email: string
}

const algorithm = 'HS256'
const issuer = 'wrenn'
const audience = 'wrenn-api'
const lifetimeSec = 6 * 60 * 60

export class Tokens {
  readonly #key: Uint8Array

  /** `secret`: at least 32 characters; config.ts sees to that. */
  constructor(secret: string) {
    this.#key = new TextEncoder().encode(secret)
  }

  async issue(session: Session): Promise<string> {
    const issuedAt = Math.floor(Date.now() / 1000)
    return new SignJWT({ team_id: session.teamId, email: session.email })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
      .setSubject(session.userId)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSec)
      .sign(this.#key)
  }

  /** Throws `unauthorized` when the token is not ours, changed or expired. */
  async verify(token: string): Promise<Session & { issuedAtSec: number; expiresAtSec: number }> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [algorithm],
        issuer,
        audience,
        requiredClaims: ['sub', 'iat', 'exp', 'team_id', 'email'],
      })
      const userId = parseId('usr', payload.sub)
      const teamId = parseId('team', payload['team_id'])
      const email = payload['email']
      const { iat: issuedAtSec, exp: expiresAtSec } = payload
      if (!userId || !teamId || typeof email !== 'string' || !issuedAtSec || !expiresAtSec)
        throw new errors.JWTInvalid('a claim is malformed')
      return { userId, teamId, email, issuedAtSec, expiresAtSec }
    } catch (cause) {
      const expired = cause instanceof errors.JWTExpired
      const message = expired ? 'The token has expired: log in again' : 'The token is not valid: log in again'
      throw new AppError('unauthorized', message, { cause })
    }
  }
}
