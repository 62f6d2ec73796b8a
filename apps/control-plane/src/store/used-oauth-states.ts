// States of OAuth logins that were used, remembered until they would have expired.
import { sql } from 'kysely'
import type { Database } from './database.ts'

/** True for the first caller, of all control planes, and false for every other. */
export async function oauthStateUse(db: Database, nonce: string, lifetimeSec: number): Promise<boolean> {
  // By the database's clock and from now on, so that no difference of clocks ends it before the cookie.
  const row = await db
    .insertInto('usedOauthStates')
    .values({ nonce, expiresAt: sql<Date>`now() + make_interval(secs => ${lifetimeSec})` })
    .onConflict((conflict) => conflict.column('nonce').doNothing())
    .returning('nonce')
    .executeTakeFirst()
  return row !== undefined
}

/** Removes what has expired. */
export async function oauthStatesForget(db: Database): Promise<void> {
  await db
    .deleteFrom('usedOauthStates')
    .where('expiresAt', '<', sql<Date>`now()`)
    .execute()
}
