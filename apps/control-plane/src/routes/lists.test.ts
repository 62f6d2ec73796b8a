// Metadata of sandboxes, and what a list can be asked for.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { PublicSchemas } from '@wrenn/contract'
import type { Account } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'

type Sandbox = PublicSchemas['Sandbox']

describe('lists of sandboxes', () => {
  let platform: Platform
  let as: Account

  before(async () => {
    platform = await createPlatform()
  })

  beforeEach(async () => {
    as = await platform.api.account()
  })

  after(() => platform.remove())

  const ids = (sandboxes: Sandbox[]): string[] => sandboxes.map(({ id }) => id)
  const list = (query: string): Promise<Sandbox[]> => platform.api.expect(200, 'listSandboxes', { as, query })

  /** A page, and the query of the next one. */
  async function page(query: string): Promise<{ ids: string[]; next: string | undefined }> {
    const { body, headers } = await platform.api.call<Sandbox[]>('listSandboxes', { as, query })
    const next = /^<\/v1\/sandboxes\?([^>]*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
    return { ids: ids(body), next }
  }

  async function create(count: number): Promise<string[]> {
    const made: string[] = []
    for (let n = 0; n < count; n += 1) made.unshift((await platform.api.create(as)).id)
    return made
  }

  it('keep metadata as it was given', async () => {
    const metadata = { run_id: '7', 'team/Sub.key-x': '', emoji: '🦉 "quoted" \\ \n' }
    const sandbox = await platform.api.create(as, { metadata })
    assert.deepEqual(sandbox.metadata, metadata)
    assert.deepEqual((await platform.api.get(as, sandbox.id)).metadata, metadata)
    assert.deepEqual((await list(''))[0]?.metadata, metadata)
    assert.deepEqual((await platform.api.create(as)).metadata, {})
  })

  it('show only sandboxes that have every pair asked for', async () => {
    const both = await platform.api.create(as, { metadata: { env: 'prod', 'a.b': 'x y&z' } })
    const one = await platform.api.create(as, { metadata: { env: 'prod' } })
    await platform.api.create(as, { metadata: { env: 'test' } })
    assert.deepEqual(ids(await list('metadata.env=prod')), [one.id, both.id])
    assert.deepEqual(ids(await list('metadata.env=prod&metadata.a.b=x+y%26z')), [both.id])
    assert.deepEqual(ids(await list('metadata.env=prod&metadata.none=1')), [])
  })

  it('show stopped sandboxes when asked for', async () => {
    const [running = '', stopped = ''] = await create(2)
    await platform.api.expect(204, 'destroySandbox', { as, params: { id: stopped } })
    assert.deepEqual(ids(await list('status=stopped')), [stopped])
    assert.deepEqual(ids(await list('status=running')), [running])
    assert.deepEqual(ids(await list('status=paused')), [])
  })

  it('come in pages that hold each sandbox once, whatever is created and stopped meanwhile', async () => {
    const made = await create(7)
    const first = await page('limit=3')
    await create(2)
    await platform.api.expect(204, 'destroySandbox', { as, params: { id: made[2] ?? '' } })
    const second = await page(first.next ?? '')
    const third = await page(second.next ?? '')
    assert.deepEqual([...first.ids, ...second.ids, ...third.ids], made)
    assert.equal(third.next, undefined)
  })

  it('page also among sandboxes of the same microsecond', async () => {
    const made = await create(5)
    await query(platform.databaseUrl, `update sandboxes set created_at = '2026-01-01T00:00:00.123456Z'`)
    const seen: string[] = []
    for (let next: string | undefined = 'limit=2'; next !== undefined;) {
      const each = await page(next)
      seen.push(...each.ids)
      next = each.next
    }
    assert.deepEqual(seen, made.toSorted().toReversed())
  })

  it('carry the filter into the next page, and name none when there is none', async () => {
    for (const env of ['a', 'b', 'a']) await platform.api.create(as, { metadata: { env } })
    const first = await page('limit=1&metadata.env=a&status=running')
    const second = await page(first.next ?? '')
    assert.equal(new Set([...first.ids, ...second.ids]).size, 2)
    assert.equal(second.next, undefined)
    assert.equal((await page('limit=3')).next, undefined)
  })

  const bad = {
    'limit=0': /^limit: must be at least 1$/,
    'limit=1001': /^limit: must be at most 1000$/,
    'limit=1.5': /^limit: must be an integer$/,
    'limit=': /^limit: must be an integer$/,
    'limit=1&limit=2': /^limit: must be an integer$/,
    'status=gone': /^status: must be one of/,
    'cursor=': /^cursor: must not be empty$/,
    'cursor=abc': /^cursor: is not one of/,
    [`cursor=${Buffer.from('1 sb-x').toString('base64url')}`]: /^cursor: is not one of/,
    'metadata=x': /^metadata: must be an object$/,
    'metadata.=x': /^metadata: the name "" must be/,
    'metadata.a=%00': /^metadata.a: must be valid Unicode/,
    'metadata.a=1&metadata.a=2': /^metadata.a: must be a string$/,
  }
  for (const [text, message] of Object.entries(bad)) {
    it(`refuse ${text}`, async () => {
      assert.match(
        await platform.api.refused('invalid_request', 'listSandboxes', { as, query: text }),
        message,
      )
    })
  }
})
