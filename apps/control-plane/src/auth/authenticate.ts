// Who is calling: by API key, looked up for each request so that a deleted key stops at once, or by session token.
// Called by the contract plugin before a body is read.
import { AppError, type ApiKeyId, type TeamId, type UserId } from '@wrenn/base'
import type { AuthRequest } from '@wrenn/http'
import { apiKeyByHash } from '../store/api-keys.ts'
import type { Database } from '../store/database.ts'
import type { Actor } from '../store/schema.ts'
import { sessionIsLive } from '../store/users.ts'
import { hashApiKey } from './api-key.ts'
import type { Tokens } from './tokens.ts'

export interface Caller {
  teamId: TeamId
  by:
    | { kind: 'api-key'; id: ApiKeyId; name: string }
    | { kind: 'token'; userId: UserId; email: string; issuedAtSec: number; expiresAtSec: number }
}

/** Null for an API key, which is its team's. */
export function userOf({ by }: Caller): UserId | null {
  return by.kind === 'token' ? by.userId : null
}

/** Who the caller goes down as in what they do. */
export function actorOf({ by }: Caller): Actor {
  return by.kind === 'token'
    ? { kind: 'user', id: by.userId, name: by.email }
    : { kind: 'api_key', id: by.id, name: by.name }
}

export interface Authenticator {
  db: Database
  tokens: Tokens
  /** Notes that a key was used; returns at once. */
  keyUsed: (id: ApiKeyId) => void
  /** Counts a request of the team. Throws `rate_limited`. */
  admit: (teamId: TeamId, appendHeader: AuthRequest['appendHeader']) => Promise<void>
}

export function createAuthenticate(deps: Authenticator): (request: AuthRequest) => Promise<Caller> {
  return async ({ schemes, headers, note, appendHeader }) => {
    const caller = await identify(deps, schemes, headers)
    note({ teamId: caller.teamId })
    await deps.admit(caller.teamId, appendHeader)
    return caller
  }
}

async function identify(
  deps: Authenticator,
  schemes: readonly string[],
  headers: AuthRequest['headers'],
): Promise<Caller> {
  const apiKey = headers['x-api-key']
  if (schemes.includes('apiKeyAuth') && typeof apiKey === 'string') return byApiKey(deps, apiKey)
  const token = bearerToken(headers)
  if (schemes.includes('bearerAuth') && token !== undefined) {
    const { teamId, ...session } = await deps.tokens.verify(token)
    const { userId, issuedAtSec } = session
    if (!(await sessionIsLive(deps.db, { userId, teamId, issuedAtSec })))
      throw new AppError('unauthorized', 'The account was disabled, or this session was ended: log in again')
    return { teamId, by: { kind: 'token', ...session } }
  }
  const wanted = schemes.includes('apiKeyAuth')
    ? 'X-API-Key: wrn_… or Authorization: Bearer with a token of POST /v1/auth/login'
    : 'Authorization: Bearer with a token of POST /v1/auth/login'
  throw new AppError('unauthorized', `Credentials are missing or malformed: send ${wanted}`)
}

/** Of the Authorization header; for a browser's WebSocket, which can set none, of a subprotocol that it offers. */
function bearerToken(headers: AuthRequest['headers']): string | undefined {
  const bearer = /^Bearer +([^\s]+) *$/i.exec(String(headers['authorization'] ?? ''))?.[1]
  return (
    bearer ?? /(?:^|,) *wrenn\.token\.([^\s,]+)/.exec(String(headers['sec-websocket-protocol'] ?? ''))?.[1]
  )
}

async function byApiKey(deps: Authenticator, apiKey: string): Promise<Caller> {
  const keyHash = hashApiKey(apiKey)
  const found = keyHash && (await apiKeyByHash(deps.db, keyHash))
  if (!found) throw new AppError('unauthorized', 'The API key is not valid or was deleted')
  deps.keyUsed(found.id)
  return { teamId: found.teamId, by: { kind: 'api-key', id: found.id, name: found.name } }
}
