import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { after, before, describe, it } from 'node:test'
import { createPostgres, query, type TestPostgres } from '../../../../test/support/postgres.ts'
import { StartError } from '../start-error.ts'
import { migrate } from './migrate.ts'

const ours = join(import.meta.dirname, 'migrations')
const versions = (await readdir(ours)).map((name) => name.replace('.sql', '')).toSorted()

describe('migrations', () => {
  let postgres: TestPostgres
  let folder: string

  before(async () => {
    postgres = await createPostgres()
    folder = await mkdtemp(join(tmpdir(), 'wrenn-migrations-'))
  })

  after(async () => {
    await postgres.remove()
    await rm(folder, { recursive: true })
  })

  /** A copy of our migrations, to change. */
  async function copy(name: string): Promise<{ path: string; url: URL }> {
    const path = join(folder, name)
    await cp(ours, path, { recursive: true })
    return { path, url: pathToFileURL(`${path}/`) }
  }

  it('five at once apply each exactly once', async () => {
    const url = await postgres.database()
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(url)))
    assert.deepEqual(
      applied.filter((versions) => versions.length > 0),
      [versions],
    )
    assert.deepEqual(await migrate(url), [])
  })

  it('makes password_hash not null in the first, and nullable for OAuth, keeping the users of before', async () => {
    const url = await postgres.database()
    const before = await copy('before')
    const later = versions.filter((version) => version >= '0008')
    for (const version of later) await rm(join(before.path, `${version}.sql`))
    assert.equal((await migrate(url, before.url)).at(-1), '0007_idempotency_keys')
    const isNullable = () =>
      query(
        url,
        `select is_nullable from information_schema.columns where table_name = 'users' and column_name = 'password_hash'`,
      )
    assert.deepEqual(await isNullable(), [{ is_nullable: 'NO' }])
    await query(
      url,
      `insert into users (id, email, password_hash) values ('usr-a', 'a@example.com', 'hash of a'), ('usr-b', 'b@example.com', 'hash of b');
       insert into teams (id, name) values ('team-a', 'A');
       insert into team_members (team_id, user_id, role) values ('team-a', 'usr-a', 'owner')`,
    )
    const everything = () =>
      query(url, 'select * from users left join team_members on user_id = id order by id')
    const kept = await everything()
    assert.deepEqual(await migrate(url), later)
    assert.deepEqual(await isNullable(), [{ is_nullable: 'YES' }])
    assert.deepEqual(await everything(), kept)
    assert.equal(kept.length, 2)
    await query(
      url,
      `insert into oauth_providers (provider, provider_id, user_id, email) values ('github', '1', 'usr-a', 'a@example.com')`,
    )
    assert.deepEqual(await query(url, 'select provider_id from oauth_providers'), [{ provider_id: '1' }])
  })

  it('refuses to start when an applied one was changed', async () => {
    const url = await postgres.database()
    await migrate(url)
    const changed = await copy('changed')
    await writeFile(join(changed.path, '0002_api_keys.sql'), 'select 1')
    await assert.rejects(migrate(url, changed.url), (error) => {
      assert.ok(error instanceof StartError)
      assert.match(error.message, /^Migration 0002_api_keys was changed after it was applied/)
      return true
    })
  })

  it('one that fails leaves nothing of itself, and those before it stay', async () => {
    const url = await postgres.database()
    const broken = await copy('broken')
    await writeFile(join(broken.path, '9999_broken.sql'), 'create table half (id int); select nonsense')
    await assert.rejects(migrate(url, broken.url), /migration 9999_broken failed/)
    const tables = await query(url, `select 1 from information_schema.tables where table_name = 'half'`)
    assert.deepEqual(tables, [])
    await writeFile(join(broken.path, '9999_broken.sql'), 'create table half (id int)')
    assert.deepEqual(await migrate(url, broken.url), ['9999_broken'])
  })

  it('ignores what a newer version has applied', async () => {
    const url = await postgres.database()
    const newer = await copy('newer')
    await writeFile(join(newer.path, '9999_newer.sql'), 'create table newer (id int)')
    await migrate(url, newer.url)
    assert.deepEqual(await migrate(url), [])
  })
})
