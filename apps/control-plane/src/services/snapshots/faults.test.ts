// A snapshot that fails leaves its sandbox as it was and its name free; one whose answer is lost is found, by the request
// itself or by a reconciler. Nothing is ever lost: a sandbox that is gone has become a snapshot with a name.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { AppError, newId, pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Account } from '../../../../../test/support/api.ts'
import { untilAborted } from '../../../../../test/support/fake-agent.ts'
import { createPlatform, type Platform } from '../../../../../test/support/control-plane.ts'
import { query } from '../../../../../test/support/postgres.ts'

type Template = PublicSchemas['Template']

const deadline = { timeoutMs: 10_000 }

describe('a snapshot that fails', () => {
  let platform: Platform
  let as: Account

  before(async () => {
    // Its reconciler never runs by itself: it would hide what a request forgets.
    platform = await createPlatform({
      reconcileIntervalMs: 3_600_000,
      agentDeadlines: { changeMs: 300, listMs: 300, healthMs: 500 },
    })
  })

  beforeEach(async () => {
    as = await platform.api.account()
    platform.agent.snapshots.clear()
    await query(platform.databaseUrl, 'delete from snapshots')
  })

  afterEach(() => platform.agent.heal())
  after(() => platform.remove())

  const request = (sandbox_id: string, name = 'mine') => ({ as, body: { sandbox_id, name } })
  const names = async (): Promise<string[]> =>
    (await platform.api.expect<Template[]>(200, 'listSnapshots', { as, query: 'type=snapshot' })).map(
      ({ name }) => name,
    )

  /** The sandbox is as it was, there is no snapshot, and the name is free. */
  async function assertNothingHappened(id: string): Promise<void> {
    const { api, agent } = platform
    assert.equal((await api.get(as, id)).status, 'running')
    assert.equal(agent.sandboxes.get(id)?.status, 'running')
    assert.deepEqual([...agent.snapshots.keys()], [])
    assert.deepEqual(await names(), [])
    agent.heal()
    await api.expect(201, 'createSnapshot', request(id))
  }

  /** The sandbox has become the snapshot, on both sides. */
  async function assertMade(id: string, name = 'mine'): Promise<void> {
    const { api, agent } = platform
    assert.deepEqual(await names(), [name])
    assert.equal((await api.get(as, id)).status, 'stopped')
    assert.equal((await api.get(as, id)).status_reason, `It became the snapshot ${name}.`)
    assert.equal(agent.snapshots.size, 1)
    assert.ok(!agent.sandboxes.has(id))
    agent.heal()
    assert.equal((await api.create(as, { template: name })).status, 'running')
  }

  async function reconciled(check: () => Promise<void>): Promise<void> {
    const another = await platform.another({ reconcileIntervalMs: 20 })
    try {
      await pollUntil(
        'it is put right',
        () =>
          check().then(
            () => true as const,
            () => undefined,
          ),
        deadline,
      ).catch(check)
    } finally {
      await another.close()
    }
  }

  const failures = [
    { thrown: new AppError('agent_error', 'The guest does not freeze'), code: 'agent_error' },
    { thrown: new AppError('no_capacity', 'The disk has no room'), code: 'no_capacity' },
    { thrown: new AppError('invalid_state', 'It is pausing'), code: 'invalid_state' },
    { thrown: new Error('a bug'), code: 'agent_error' },
  ]
  for (const { thrown, code } of failures) {
    for (const when of ['before', 'during'] as const) {
      it(`at the agent with "${thrown.message}" ${when} it: ${code}, and nothing happened`, async () => {
        const { id } = await platform.api.create(as)
        platform.agent.on('createSnapshot', { [when]: () => Promise.reject(thrown) })
        await platform.api.refused(code, 'createSnapshot', request(id))
        await assertNothingHappened(id)
      })
    }

    it(`at the agent with "${thrown.message}" after it was made is made: 201`, async () => {
      const { id } = await platform.api.create(as)
      platform.agent.on('createSnapshot', { after: () => Promise.reject(thrown) })
      await platform.api.expect(201, 'createSnapshot', request(id))
      await assertMade(id)
    })
  }

  for (const when of ['before', 'during', 'after'] as const) {
    it(`because the agent hangs ${when} it, past the deadline, and does it later: made, by another control plane`, async () => {
      const { api, agent } = platform
      const { id } = await api.create(as)
      const release = new AbortController()
      agent.on('createSnapshot', { [when]: () => untilAborted(release.signal) })
      const { status } = await api.call('createSnapshot', request(id))
      assert.equal(status, when === 'after' ? 201 : 502)
      release.abort()
      // Before: given up already, and the agent has it after all.
      await reconciled(() => assertMade(id))
    })

    it(`because the connection breaks ${when} it: made or not, whole`, async () => {
      const { api, agent } = platform
      const { id } = await api.create(as)
      agent.on('createSnapshot', {
        [when]: async (signal: AbortSignal) => {
          agent.breakConnections()
          await untilAborted(signal)
        },
      })
      await api.call('createSnapshot', request(id))
      await reconciled(() => assertMade(id))
    })

    it(`because its client goes away ${when} it is made all the same`, async () => {
      const { api, agent } = platform
      const { id } = await api.create(as)
      const client = new AbortController()
      const release = new AbortController()
      agent.on('createSnapshot', {
        [when]: async () => {
          client.abort()
          await untilAborted(release.signal)
        },
      })
      await assert.rejects(api.call('createSnapshot', { ...request(id), signal: client.signal }), {
        name: 'AbortError',
      })
      release.abort()
      const made = async (): Promise<true | undefined> => ((await names()).length === 1 ? true : undefined)
      await pollUntil('it is made', made, deadline)
      await assertMade(id)
    })
  }

  it('because the agent is not there leaves everything as it was', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    await agent.stop()
    await api.refused('unavailable', 'createSnapshot', request(id))
    await agent.start()
    // Whether it was asked cannot be known without it: the name is free when a reconciler has looked.
    await reconciled(() => assertNothingHappened(id))
  })

  it('because its row cannot be written is made by another control plane', async () => {
    const { api, databaseUrl } = platform
    const { id } = await api.create(as)
    await query(
      databaseUrl,
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'secret'; end $$;
       create trigger refuse before update on snapshots for each row when (new.status = 'ready') execute function refuse()`,
    )
    try {
      assert.match(await api.refused('internal_error', 'createSnapshot', request(id)), /request id/)
      assert.deepEqual(await names(), [])
    } finally {
      await query(databaseUrl, 'drop trigger refuse on snapshots; drop function refuse')
    }
    // As when the lease has run out.
    await query(databaseUrl, `update snapshots set lease_expires_at = '-infinity' where status = 'pending'`)
    await reconciled(() => assertMade(id))
  })

  it('and is given up, and made after all when its name is taken, gets a name of its own', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    const release = new AbortController()
    agent.on('createSnapshot', { before: () => untilAborted(release.signal) })
    await api.refused('agent_error', 'createSnapshot', request(id))
    agent.heal()
    const second = await api.create(as)
    await api.expect(201, 'createSnapshot', request(second.id))
    release.abort()
    await reconciled(async () => {
      const found = await names()
      assert.equal(found.length, 2)
      assert.ok(found.includes('mine'))
      assert.ok(found.some((name) => /^mine-[a-z2-7]{8}$/.test(name)))
    })
    for (const template of await names()) await api.create(as, { template })
  })

  it('of which the agent knows and no row does is deleted there', async () => {
    const { agent } = platform
    const key = newId('snap')
    agent.snapshots.set(key, { key, template: 'minimal', vcpus: 1, memory_mib: 128, size_bytes: 1 })
    await reconciled(async () => assert.ok(!agent.snapshots.has(key)))
  })

  it('is tried again when it could not be deleted', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    await api.expect(201, 'createSnapshot', request(id))
    agent.on('deleteSnapshot', { before: () => Promise.reject(new Error('not now')) })
    await api.expect(204, 'deleteSnapshot', { as, params: { name: 'mine' } })
    assert.equal(agent.snapshots.size, 1)
    agent.heal()
    await reconciled(async () => {
      assert.equal(agent.snapshots.size, 0)
      assert.deepEqual(await query(platform.databaseUrl, 'select id from snapshots'), [])
    })
  })
})
