// The trigger that keeps the history of sandboxes, by plain SQL: whoever changes a status, by whatever code, is told of.
import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { after, before, describe, it } from 'node:test'
import { createPostgres, query, type TestPostgres } from '../../../../test/support/postgres.ts'
import { migrate } from './migrate.ts'

const ours = join(import.meta.dirname, 'migrations')

/** Of a sandbox, as SQL. */
const insert = (id: string, more: Record<string, string> = {}): string => {
  const columns = { id: `'${id}'`, status: `'running'`, ...more }
  return `insert into sandboxes (team_id, host_id, template, vcpus, memory_mb, timeout_sec, ${Object.keys(columns).join()})
    values ('team-a', 'host-a', 'minimal', 1, 128, 0, ${Object.values(columns).join()});`
}

const teamAndHost = `insert into teams (id, name) values ('team-a', 'a'); insert into hosts (id, instance_id) values ('host-a', 'a');`

describe('the history that the database keeps', () => {
  let postgres: TestPostgres

  before(async () => {
    postgres = await createPostgres()
  })

  after(() => postgres?.remove())

  const historyOf = (url: string, id: string): Promise<object[]> =>
    query(
      url,
      `select type, by_kind, by_name, reason from sandbox_events where sandbox_id = '${id}' order by id`,
    )

  it('has every change of status, with an actor once', async () => {
    const url = await postgres.database()
    await migrate(url)
    const actor = `'{"kind": "user", "id": "usr-a", "name": "a@example.com"}'`
    await query(url, teamAndHost + insert('sb-a', { actor }))
    await query(url, `update sandboxes set status = 'paused', status_reason = 'why' where id = 'sb-a'`)
    await query(
      url,
      `update sandboxes set status = 'running', status_reason = null, actor = ${actor} where id = 'sb-a'`,
    )
    await query(url, `update sandboxes set last_active_at = now(), last_updated = now() where id = 'sb-a'`)
    await query(url, `update sandboxes set status = 'stopped', status_reason = 'first' where id = 'sb-a'`)
    await query(url, `update sandboxes set status = 'stopped', status_reason = 'second' where id = 'sb-a'`)
    const byPlatform = { by_kind: 'platform', by_name: null }
    const byUser = { by_kind: 'user', by_name: 'a@example.com' }
    assert.deepEqual(await historyOf(url, 'sb-a'), [
      { type: 'created', ...byUser, reason: null },
      { type: 'paused', ...byPlatform, reason: 'why' },
      { type: 'resumed', ...byUser, reason: null },
      { type: 'stopped', ...byPlatform, reason: 'first' },
      { type: 'stopped', ...byPlatform, reason: 'second' },
    ])
    assert.deepEqual(await query(url, 'select actor from sandboxes'), [{ actor: null }])
  })

  it('goes with a change that is rolled back, and with its sandbox', async () => {
    const url = await postgres.database()
    await migrate(url)
    await query(url, teamAndHost + insert('sb-a'))
    await query(url, `begin; update sandboxes set status = 'error' where id = 'sb-a'; rollback`)
    assert.equal((await historyOf(url, 'sb-a')).length, 1)
    await query(url, `delete from sandboxes where id = 'sb-a'`)
    assert.deepEqual(await query(url, 'select * from sandbox_events'), [])
  })

  it('begins with what is known of sandboxes that were there before it', async () => {
    const url = await postgres.database()
    const folder = await mkdtemp(join(tmpdir(), 'wrenn-migrations-'))
    await cp(ours, folder, { recursive: true })
    for (const name of await readdir(folder)) if (name >= '0012') await rm(join(folder, name))
    await migrate(url, pathToFileURL(`${folder}/`))
    await rm(folder, { recursive: true })
    const at = (minute: number): string => `'2026-01-01T00:0${minute}:00Z'`
    await query(
      url,
      teamAndHost +
        insert('sb-running', { created_at: at(1), started_at: at(2), last_updated: at(3) }) +
        insert('sb-paused', {
          status: `'paused'`,
          status_reason: `'It was idle.'`,
          created_at: at(1),
          started_at: at(2),
          paused_at: at(3),
          last_updated: at(4),
        }) +
        insert('sb-stopped', { status: `'stopped'`, created_at: at(1), last_updated: at(4) }) +
        insert('sb-pending', { status: `'pending'`, lease_expires_at: `now()`, created_at: at(1) }),
    )
    assert.deepEqual((await migrate(url)).slice(0, 1), ['0012_sandbox_events'])
    const unknown = 'Who did it was not kept at that time.'
    const events = await query<{ of: string }>(
      url,
      `select sandbox_id || ' ' || type || ' ' || extract(minute from at at time zone 'UTC') as of, by_kind, reason
       from sandbox_events order by sandbox_id, id`,
    )
    assert.deepEqual(events, [
      { of: 'sb-paused created 1', by_kind: 'platform', reason: unknown },
      { of: 'sb-paused paused 3', by_kind: 'platform', reason: 'It was idle.' },
      { of: 'sb-pending created 1', by_kind: 'platform', reason: unknown },
      { of: 'sb-running created 1', by_kind: 'platform', reason: unknown },
      { of: 'sb-running started 2', by_kind: 'platform', reason: unknown },
      { of: 'sb-stopped created 1', by_kind: 'platform', reason: unknown },
      { of: 'sb-stopped stopped 4', by_kind: 'platform', reason: unknown },
    ])
  })
})
