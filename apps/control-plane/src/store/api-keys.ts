// API keys, by team. A key is found by its hash only.
import type { ApiKeyId, TeamId, UserId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { violatedConstraint } from './errors.ts'
import { joined } from './joined.ts'
import type { ApiKeyRow } from './schema.ts'

type NewApiKey = Pick<ApiKeyRow, 'id' | 'teamId' | 'name' | 'keyHash' | 'keyPrefix' | 'createdBy'>

/** Undefined when the team or the user is gone. */
export async function apiKeyInsert(db: Database, key: NewApiKey): Promise<ApiKeyRow | undefined> {
  try {
    return await db.insertInto('apiKeys').values(key).returningAll().executeTakeFirstOrThrow()
  } catch (error) {
    const constraint = violatedConstraint(error)
    if (constraint === 'api_keys_team_id_fkey' || constraint === 'api_keys_created_by_fkey') return undefined
    throw error
  }
}

/** The path of every request with a key: one look into each of two indexes. A disabled user's is not found. */
export async function apiKeyByHash(
  db: Database,
  keyHash: Buffer,
): Promise<Pick<ApiKeyRow, 'id' | 'teamId' | 'name'> | undefined> {
  return byHash(db, keyHash.toString('hex'))
}

const byHash = joined(async (db, hashes) => {
  const rows = await db
    .selectFrom('apiKeys')
    .leftJoin('users', 'users.id', 'apiKeys.createdBy')
    .select(['apiKeys.id', 'apiKeys.teamId', 'apiKeys.name', 'apiKeys.keyHash'])
    .where(sql<boolean>`key_hash = any(${hashes.map((hash) => Buffer.from(hash, 'hex'))}::bytea[])`)
    .where('users.disabledAt', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.keyHash.toString('hex'), row]))
})

/** The user who made it. Undefined when that user, or the key, is gone. */
export async function apiKeyOwner(
  db: Database,
  id: ApiKeyId,
): Promise<{ id: UserId; email: string } | undefined> {
  return db
    .selectFrom('apiKeys')
    .innerJoin('users', 'users.id', 'apiKeys.createdBy')
    .select(['users.id', 'users.email'])
    .where('apiKeys.id', '=', id)
    .executeTakeFirst()
}

/** Newest first. */
export async function apiKeyList(db: Database, teamId: TeamId): Promise<ApiKeyRow[]> {
  return db
    .selectFrom('apiKeys')
    .selectAll()
    .where('teamId', '=', teamId)
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

export async function apiKeyDelete(db: Database, key: { id: string; teamId: TeamId }): Promise<void> {
  await db
    .deleteFrom('apiKeys')
    .where('id', '=', key.id as ApiKeyId)
    .where('teamId', '=', key.teamId)
    .execute()
}

/** At most once a minute for each key, whichever control plane it reaches. */
export async function apiKeysTouch(db: Database, ids: readonly ApiKeyId[]): Promise<void> {
  await db
    .updateTable('apiKeys')
    .set({ lastUsed: sql<Date>`now()` })
    .where('id', 'in', ids)
    .where((eb) =>
      eb.or([eb('lastUsed', 'is', null), eb('lastUsed', '<', sql<Date>`now() - interval '1 minute'`)]),
    )
    .execute()
}
