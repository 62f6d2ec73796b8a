// What the history of a sandbox tells: each change once, with who and why, whoever came to know of it first.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { AppError, pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import { Wrenn } from '@wrenn/sdk'
import type { Account } from '../../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../../test/support/control-plane.ts'
import { query } from '../../../../../test/support/postgres.ts'

type SandboxEvent = PublicSchemas['SandboxEvent']

const platformDid = { kind: 'platform' }

describe('the history of a sandbox', () => {
  let platform: Platform
  let as: Account
  let user: { kind: string; id: string; name: string }
  let key: { kind: string; id: string; name: string }

  before(async () => {
    platform = await createPlatform()
    as = await platform.api.account()
    const keys = await platform.api.expect<{ id: string; name: string }[]>(200, 'listAPIKeys', {
      as: { token: as.token },
    })
    key = { kind: 'api_key', id: keys[0]?.id ?? '', name: keys[0]?.name ?? '' }
    user = { kind: 'user', id: as.userId, name: as.email }
  })

  afterEach(() => platform.agent.heal())

  after(() => platform?.remove())

  const byKey = (): { apiKey: string } => ({ apiKey: as.apiKey })
  const byToken = (): { token: string } => ({ token: as.token })

  async function eventsOf(id: string): Promise<SandboxEvent[]> {
    const events = await platform.api.expect<SandboxEvent[]>(200, 'listSandboxEvents', { as, params: { id } })
    return events.toReversed()
  }

  /** Oldest first, without ids and times. */
  async function history(id: string): Promise<[string, object, string | undefined][]> {
    return (await eventsOf(id)).map(({ type, by, reason }) => [type, by, reason])
  }

  async function untilIs(id: string, status: string): Promise<void> {
    await pollUntil(
      `it is ${status}`,
      async () => (await platform.api.get(as, id)).status === status || undefined,
      {
        timeoutMs: 20_000,
      },
    )
  }

  it('tells who did what, by token and by key', async () => {
    const { api } = platform
    const { id } = await api.create(byToken())
    await api.expect(200, 'pauseSandbox', { as: byKey(), params: { id } })
    await api.expect(200, 'resumeSandbox', { as: byToken(), params: { id } })
    await api.expect(204, 'destroySandbox', { as: byKey(), params: { id } })
    await api.expect(204, 'destroySandbox', { as: byToken(), params: { id } })
    assert.deepEqual(await history(id), [
      ['created', user, undefined],
      ['started', user, undefined],
      ['paused', key, undefined],
      ['resumed', user, undefined],
      ['stopped', key, 'It was destroyed on request.'],
    ])
    const events = await eventsOf(id)
    assert.deepEqual(
      events,
      events.toSorted((a, b) => Number(a.id) - Number(b.id)),
    )
    assert.deepEqual(
      events,
      events.toSorted((a, b) => (a.at < b.at ? -1 : 1)),
    )
  })

  it('tells what Wrenn did by itself, and why', async () => {
    const { api, agent } = platform
    const { id } = await api.create(byKey(), { timeout_sec: 60 })
    agent.machine.idleOut(id)
    await untilIs(id, 'paused')
    await api.expect(200, 'resumeSandbox', { as: byToken(), params: { id } })
    agent.machine.fail(id, 'its VM ended by itself')
    await untilIs(id, 'error')
    assert.deepEqual((await history(id)).slice(2), [
      ['paused', platformDid, 'It was idle for 60 s.'],
      ['resumed', user, undefined],
      ['failed', platformDid, 'its VM ended by itself'],
    ])
  })

  it('tells of a cold boot, and of an end by inactivity', async () => {
    const { api, agent } = platform
    const { id } = await api.create(byKey(), { timeout_sec: 5, on_timeout: 'destroy' })
    await api.expect(200, 'pauseSandbox', { as: byKey(), params: { id } })
    agent.machine.coldNext(id, 'Its disk was booted anew')
    await api.expect(200, 'resumeSandbox', { as: byKey(), params: { id } })
    agent.machine.idleOut(id)
    await untilIs(id, 'stopped')
    const [resumed, stopped] = (await history(id)).slice(3)
    assert.deepEqual(resumed, ['resumed', key, 'Its disk was booted anew'])
    assert.deepEqual(stopped?.slice(0, 2), ['stopped', platformDid])
    assert.match(stopped?.[2] ?? '', /5 s without activity/)
  })

  it('tells of a stop and start of the platform, seen or not', async () => {
    const { api, agent } = platform
    const { id } = await api.create(byKey())
    await agent.machine.suspend()
    await untilIs(id, 'paused')
    agent.machine.resumeSuspended()
    await untilIs(id, 'running')
    // Nobody looks in between: it is running before and after.
    await agent.machine.suspend()
    agent.machine.resumeSuspended()
    await pollUntil('it is told', async () => (await history(id)).length === 5 || undefined, {
      timeoutMs: 20_000,
    })
    assert.deepEqual((await history(id)).slice(2), [
      ['paused', platformDid, 'The platform was stopped.'],
      ['resumed', platformDid, undefined],
      ['resumed', platformDid, 'It was paused in between, as when the platform stops.'],
    ])
  })

  it('ends with the snapshot that a sandbox became, in the name of who asked', async () => {
    const { api } = platform
    const { id } = await api.create(byKey())
    const body = { sandbox_id: id, name: 'became' }
    await api.expect(201, 'createSnapshot', { as: byToken(), body })
    assert.deepEqual((await history(id)).at(-1), ['stopped', user, 'It became the snapshot became.'])
  })

  it('knows who it was also when a reconciler finishes the snapshot', async () => {
    const { api, agent } = platform
    const { id } = await api.create(byKey())
    agent.on('createSnapshot', {
      after: async () => {
        agent.on('listSandboxes', { before: fails })
        agent.breakConnections()
        await new Promise(() => undefined)
      },
    })
    const body = { sandbox_id: id, name: 'later' }
    await api.refused('agent_error', 'createSnapshot', { as: byToken(), body })
    agent.heal()
    await untilIs(id, 'stopped')
    assert.deepEqual((await history(id)).at(-1), ['stopped', user, 'It became the snapshot later.'])
  })

  it('knows who it was also when a reconciler sees a pause first, or its answer is lost', async () => {
    const { api, agent } = platform
    const { id } = await api.create(byKey())
    agent.on('pauseSandbox', { after: () => untilIs(id, 'paused') })
    await api.expect(200, 'pauseSandbox', { as: byToken(), params: { id } })
    agent.on('resumeSandbox', {
      after: async () => {
        agent.on('getSandbox', { before: fails })
        throw new AppError('agent_error', 'injected')
      },
    })
    await api.refused('agent_error', 'resumeSandbox', { as: byToken(), params: { id } })
    await untilIs(id, 'running')
    assert.deepEqual((await history(id)).slice(2), [
      ['paused', user, undefined],
      ['resumed', user, undefined],
    ])
  })

  it('blames nobody for what they asked for in vain', async () => {
    const { api, agent } = platform
    const { id } = await api.create(byKey())
    agent.on('pauseSandbox', { before: fails })
    await api.refused('agent_error', 'pauseSandbox', { as: byToken(), params: { id } })
    await agent.machine.suspend()
    await untilIs(id, 'paused')
    agent.machine.resumeSuspended()
    await untilIs(id, 'running')
    assert.deepEqual(
      (await history(id)).slice(2).map(([type, by]) => [type, by]),
      [
        ['paused', platformDid],
        ['resumed', platformDid],
      ],
    )
  })

  it('does not know what came to nothing', async () => {
    const { api, agent, databaseUrl } = platform
    const count = async (): Promise<unknown> => query(databaseUrl, 'select count(*) from sandbox_events')
    const before = await count()
    agent.on('createSandbox', { before: fails })
    await api.refused('agent_error', 'createSandbox', { as, body: {} })
    assert.deepEqual(await count(), before)
  })

  it('comes in pages, each event once, and only to its team', async () => {
    const { api, databaseUrl } = platform
    const { id } = await api.create(byKey())
    await query(
      databaseUrl,
      `insert into sandbox_events (sandbox_id, type, by_kind) select '${id}', 'resumed', 'platform' from generate_series(1, 249)`,
    )
    const all: SandboxEvent[] = []
    const wrenn = new Wrenn({ baseUrl: api.url, apiKey: as.apiKey })
    for await (const event of wrenn.sandboxes.events(id)) all.push(event)
    assert.equal(new Set(all.map((event) => event.id)).size, 251)
    assert.equal(all.at(-1)?.type, 'created')
    const { headers, body } = await api.call<SandboxEvent[]>('listSandboxEvents', {
      as,
      params: { id },
      query: 'limit=251',
    })
    assert.deepEqual([headers.get('link'), body.length], [null, 251])
    await api.refused('not_found', 'listSandboxEvents', { as: await api.account(), params: { id } })
  })
})

async function fails(): Promise<never> {
  throw new AppError('agent_error', 'injected')
}
