// /v1/api-keys: create, list, delete.
import { userOf } from '../auth/authenticate.ts'
import type { PublicSchemas } from '@wrenn/contract'
import { createApiKey, deleteApiKey, listApiKeys } from '../services/api-keys.ts'
import type { Database } from '../store/database.ts'
import type { ApiKeyRow } from '../store/schema.ts'
import type { PublicHandlers } from './handlers.ts'

export function apiKeyHandlers(
  db: Database,
): Pick<PublicHandlers, 'createAPIKey' | 'listAPIKeys' | 'deleteAPIKey'> {
  return {
    createAPIKey: async ({ auth, body, note }) => {
      const created = await createApiKey(db, { teamId: auth.teamId, userId: userOf(auth) }, body.name)
      note({ apiKeyId: created.id })
      return { status: 201, body: { ...toWire(created), key: created.key } }
    },
    listAPIKeys: async ({ auth }) => {
      const rows = await listApiKeys(db, auth.teamId)
      return { status: 200, body: rows.map(toWire) }
    },
    deleteAPIKey: async ({ auth, params }) => {
      await deleteApiKey(db, auth.teamId, params.id)
      return { status: 204 }
    },
  }
}

function toWire(row: ApiKeyRow): PublicSchemas['APIKeyResponse'] {
  return {
    id: row.id,
    team_id: row.teamId,
    name: row.name,
    key_prefix: row.keyPrefix,
    created_at: row.createdAt.toISOString(),
    last_used: row.lastUsed?.toISOString() ?? null,
  }
}
