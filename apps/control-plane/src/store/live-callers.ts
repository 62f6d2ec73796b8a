// Which credentials are still good, asked for many at once: of whoever has a connection open for long.
import type { ApiKeyId, TeamId, UserId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'

/** Those that are not deleted, and whose user is not disabled. */
export async function apiKeysLive(db: Database, ids: readonly ApiKeyId[]): Promise<Set<ApiKeyId>> {
  if (ids.length === 0) return new Set()
  const rows = await db
    .selectFrom('apiKeys')
    .leftJoin('users', 'users.id', 'apiKeys.createdBy')
    .select('apiKeys.id')
    .where(sql<boolean>`api_keys.id = any(${ids}::text[])`)
    .where('users.disabledAt', 'is', null)
    .execute()
  return new Set(rows.map(({ id }) => id))
}

export interface SessionOf {
  userId: UserId
  teamId: TeamId
  /** The token's `iat`. */
  issuedAtSec: number
}

/** Their places in the list, as `sessionIsLive` has it for one. */
export async function sessionsLive(db: Database, sessions: readonly SessionOf[]): Promise<Set<number>> {
  if (sessions.length === 0) return new Set()
  const { rows } = await sql<{ place: number }>`
    select place::int
    from unnest(
      ${sessions.map(({ userId }) => userId)}::text[],
      ${sessions.map(({ teamId }) => teamId)}::text[],
      ${sessions.map(({ issuedAtSec }) => issuedAtSec)}::bigint[]
    ) with ordinality as s (user_id, team_id, issued_at, place)
    join users on users.id = s.user_id
    join team_members m on m.user_id = s.user_id and m.team_id = s.team_id
    where users.disabled_at is null
      and (sessions_from is null or date_trunc('second', sessions_from) <= to_timestamp(s.issued_at))`.execute(
    db,
  )
  return new Set(rows.map(({ place }) => place - 1))
}
