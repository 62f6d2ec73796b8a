// A team's API keys.
import { AppError, newId, parseId, type TeamId, type UserId } from '@wrenn/base'
import { newApiKey } from '../auth/api-key.ts'
import { apiKeyDelete, apiKeyInsert, apiKeyList } from '../store/api-keys.ts'
import type { Database } from '../store/database.ts'
import type { ApiKeyRow } from '../store/schema.ts'

/** `key` is the key itself: it is shown now and never again. */
export async function createApiKey(
  db: Database,
  owner: { teamId: TeamId; userId: UserId | null },
  name: string,
): Promise<ApiKeyRow & { key: string }> {
  const { teamId, userId } = owner
  const { key, keyHash, keyPrefix } = newApiKey()
  const row = await apiKeyInsert(db, {
    id: newId('key'),
    teamId,
    name,
    keyHash,
    keyPrefix,
    createdBy: userId,
  })
  if (!row) throw new AppError('unauthorized', 'This account does not exist any more')
  return { ...row, key }
}

export async function listApiKeys(db: Database, teamId: TeamId): Promise<ApiKeyRow[]> {
  return apiKeyList(db, teamId)
}

/** Also fine when there is none, or it is another team's: that one is left alone. */
export async function deleteApiKey(db: Database, teamId: TeamId, id: string): Promise<void> {
  if (parseId('key', id)) await apiKeyDelete(db, { id, teamId })
}
