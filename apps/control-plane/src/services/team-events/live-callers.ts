// Whether callers whose connections last are still who they were when they came: with a few queries for all of them.
import type { ApiKeyId } from '@wrenn/base'
import type { Caller } from '../../auth/authenticate.ts'
import type { Database } from '../../store/database.ts'
import { apiKeysLive, sessionsLive } from '../../store/live-callers.ts'

type By<Kind> = Caller & { by: { kind: Kind } }

/** A key expires only by being deleted. */
export function isExpired({ by }: Caller): boolean {
  return by.kind === 'token' && by.expiresAtSec * 1_000 <= Date.now()
}

/** Those of them whose credential would let them in now. */
export async function liveCallers(db: Database, callers: readonly Caller[]): Promise<Set<Caller>> {
  const withKey = callers.filter((caller): caller is By<'api-key'> => caller.by.kind === 'api-key')
  const withToken = callers.filter(
    (caller): caller is By<'token'> => caller.by.kind === 'token' && !isExpired(caller),
  )
  const sessions = withToken.map(({ teamId, by }) => ({ ...by, teamId }))
  const [keys, places] = await Promise.all([apiKeysLive(db, idsOf(withKey)), sessionsLive(db, sessions)])
  return new Set<Caller>([
    ...withKey.filter(({ by }) => keys.has(by.id)),
    ...withToken.filter((_caller, place) => places.has(place)),
  ])
}

function idsOf(callers: readonly By<'api-key'>[]): ApiKeyId[] {
  return [...new Set(callers.map(({ by }) => by.id))]
}
