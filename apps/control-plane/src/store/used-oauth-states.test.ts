import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createLogger } from '@wrenn/base'
import { createPostgres, query, type TestPostgres } from '../../../../test/support/postgres.ts'
import { openDatabase, type Database } from './database.ts'
import { migrate } from './migrate.ts'
import { oauthStatesForget, oauthStateUse } from './used-oauth-states.ts'

describe('used OAuth states', () => {
  let postgres: TestPostgres
  let url: string
  let databases: Database[]

  before(async () => {
    postgres = await createPostgres()
    url = await postgres.database()
    await migrate(url)
    databases = [1, 2].map(() => openDatabase(url, createLogger('test', 'silent')))
  })

  after(async () => {
    await Promise.all(databases.map((db) => db.destroy()))
    await postgres.remove()
  })

  it('let one of twenty at once use a state, through two control planes', async () => {
    const uses = databases.flatMap((db) => Array.from({ length: 10 }, () => oauthStateUse(db, 'once', 600)))
    assert.equal((await Promise.all(uses)).filter(Boolean).length, 1)
  })

  it('are remembered until they would have expired, and not longer', async () => {
    const [db] = databases
    assert.ok(db)
    await oauthStateUse(db, 'young', 600)
    await oauthStateUse(db, 'old', 600)
    await query(
      url,
      `update used_oauth_states set expires_at = expires_at - interval '601 s' where nonce = 'old'`,
    )
    await oauthStatesForget(db)
    assert.deepEqual(await query(url, `select nonce from used_oauth_states where nonce <> 'once'`), [
      { nonce: 'young' },
    ])
    assert.equal(await oauthStateUse(db, 'young', 600), false)
  })
})
