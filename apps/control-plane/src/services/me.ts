// Who is calling: the team, and the user behind the credential.
import { AppError } from '@wrenn/base'
import type { Caller } from '../auth/authenticate.ts'
import { apiKeyOwner } from '../store/api-keys.ts'
import { teamById } from '../store/accounts.ts'
import type { Database } from '../store/database.ts'

export interface Me {
  team: { id: string; name: string }
  /** Null for an API key whose user is gone. */
  user: { id: string; email: string } | null
  credential: 'token' | 'api_key'
}

/** Throws `unauthorized` when the team went away since the caller was let in. */
export async function whoIs(db: Database, { teamId, by }: Caller): Promise<Me> {
  const [team, user] = await Promise.all([
    teamById(db, teamId),
    by.kind === 'token' ? { id: by.userId, email: by.email } : apiKeyOwner(db, by.id),
  ])
  if (!team) throw new AppError('unauthorized', 'This account does not exist any more')
  return { team, user: user ?? null, credential: by.kind === 'token' ? 'token' : 'api_key' }
}
