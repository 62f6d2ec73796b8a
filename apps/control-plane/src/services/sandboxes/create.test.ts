// A create that fails at any step leaves no row and no sandbox at the agent. Each step fails here in turn.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { AppError, pollUntil } from '@wrenn/base'
import type { Account } from '../../../../../test/support/api.ts'
import { untilAborted } from '../../../../../test/support/fake-agent.ts'
import { createPlatform, type Platform } from '../../../../../test/support/control-plane.ts'
import { query } from '../../../../../test/support/postgres.ts'

const deadline = { timeoutMs: 10_000 }

describe('create', () => {
  let platform: Platform
  let as: Account

  before(async () => {
    // Nothing here may be cleared up by the reconciler: it would hide what an undo forgets.
    platform = await createPlatform({
      reconcileIntervalMs: 3_600_000,
      agentDeadlines: { createMs: 300, healthMs: 500 },
    })
    as = await platform.api.account()
  })

  after(() => platform.remove())

  afterEach(async () => {
    platform.agent.heal()
    for (const { id } of await platform.api.list(as)) {
      await platform.api.expect(204, 'destroySandbox', { as, params: { id } })
    }
  })

  /** Nothing left: no row but stopped ones, no sandbox at the agent. */
  async function assertNothingLeft(): Promise<void> {
    const rows = await query(
      platform.databaseUrl,
      `select id, status from sandboxes where status <> 'stopped'`,
    )
    assert.deepEqual(rows, [])
    assert.deepEqual([...platform.agent.sandboxes.keys()], [])
  }

  it('answers 201 with a sandbox that runs, memory rounded up', async () => {
    const { api, agent } = platform
    const sandbox = await api.create(as, { vcpus: 2, memory_mb: 513, timeout_sec: 60 })
    const { created_at: _c, started_at: _s, last_active_at: _a, last_updated: _u, id, ...rest } = sandbox
    assert.match(id, /^sb-[a-z2-7]{20}$/)
    assert.deepEqual(rest, {
      status: 'running',
      template: 'minimal',
      vcpus: 2,
      memory_mb: 640,
      timeout_sec: 60,
      on_timeout: 'pause',
      metadata: {},
      guest_ip: '169.254.0.21',
      host_ip: '10.11.0.2',
    })
    assert.equal(agent.sandboxes.get(id)?.memory_mib, 640)
    assert.deepEqual(await api.get(as, id), sandbox)
    assert.deepEqual(await api.list(as), [sandbox])
  })

  it('lists the newest first', async () => {
    const { api } = platform
    const ids = [await api.create(as), await api.create(as), await api.create(as)].map(({ id }) => id)
    assert.deepEqual(
      (await api.list(as)).map(({ id }) => id),
      ids.toReversed(),
    )
  })

  it('placing fails: nothing is left', async () => {
    const { api, agent } = platform
    const calls = agent.calls.length
    await api.refused('invalid_request', 'createSandbox', { as, body: { vcpus: 32 } })
    assert.equal(agent.calls.length, calls)
    await assertNothingLeft()
  })

  it('the template is unknown: 404 names it, nothing is left', async () => {
    const message = await platform.api.refused('not_found', 'createSandbox', {
      as,
      body: { template: 'nope' },
    })
    assert.match(message, /template nope/)
    await assertNothingLeft()
  })

  const agentErrors = [
    { thrown: new AppError('agent_error', 'The VM did not boot'), code: 'agent_error' },
    { thrown: new AppError('no_capacity', 'No slot is free'), code: 'no_capacity' },
    { thrown: new AppError('already_exists', 'It exists'), code: 'agent_error' },
    { thrown: new Error('a bug'), code: 'agent_error' },
  ]
  for (const { thrown, code } of agentErrors) {
    for (const when of ['before', 'after'] as const) {
      it(`the agent fails with "${thrown.message}" ${when} it made the sandbox: ${code}, nothing is left`, async () => {
        platform.agent.on('createSandbox', { [when]: () => Promise.reject(thrown) })
        const message = await platform.api.refused(code, 'createSandbox', { as, body: {} })
        assert.ok(!message.includes('a bug'))
        await assertNothingLeft()
      })
    }
  }

  it('a 503 says when to try again', async () => {
    const { api, agent } = platform
    agent.on('createSandbox', { before: () => Promise.reject(new AppError('no_capacity', 'Full')) })
    const { headers } = await api.call('createSandbox', { as, body: {} })
    assert.match(headers.get('retry-after') ?? '', /^\d+$/)
  })

  for (const when of ['before', 'after'] as const) {
    it(`the agent hangs past the deadline ${when} it made the sandbox: agent_error, nothing is left`, async () => {
      platform.agent.on('createSandbox', { [when]: untilAborted })
      const message = await platform.api.refused('agent_error', 'createSandbox', { as, body: {} })
      assert.match(message, /did not answer within 0\.3 s/)
      await assertNothingLeft()
    })

    it(`the connection breaks ${when} the agent made the sandbox: agent_error, nothing is left`, async () => {
      const { agent } = platform
      agent.on('createSandbox', {
        [when]: async (signal: AbortSignal) => {
          agent.breakConnections()
          await untilAborted(signal)
        },
      })
      await platform.api.refused('agent_error', 'createSandbox', { as, body: {} })
      await assertNothingLeft()
    })
  }

  it('the agent is not there: unavailable, nothing is left', async () => {
    const { api, agent } = platform
    await agent.stop()
    await api.refused('unavailable', 'createSandbox', { as, body: {} })
    await agent.start()
    await assertNothingLeft()
    await api.create(as)
  })

  it('the last update fails: 500 without details, nothing is left', async () => {
    await query(
      platform.databaseUrl,
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'secret detail'; end $$;
       create trigger refuse before update on sandboxes for each row when (new.status = 'running') execute function refuse()`,
    )
    try {
      const message = await platform.api.refused('internal_error', 'createSandbox', { as, body: {} })
      assert.match(message, /request id/)
      assert.doesNotMatch(message, /secret/)
    } finally {
      await query(platform.databaseUrl, 'drop trigger refuse on sandboxes; drop function refuse')
    }
    await assertNothingLeft()
  })

  it('the first insert fails: nothing is left', async () => {
    await query(platform.databaseUrl, 'alter table sandboxes add constraint refuse check (vcpus <> 3)')
    await platform.api.refused('internal_error', 'createSandbox', { as, body: { vcpus: 3 } })
    await query(platform.databaseUrl, 'alter table sandboxes drop constraint refuse')
    await assertNothingLeft()
  })

  for (const when of ['before', 'after'] as const) {
    it(`the client goes away ${when} the agent made the sandbox: nothing is left`, async () => {
      const { agent, api } = platform
      const client = new AbortController()
      agent.on('createSandbox', {
        [when]: async (signal: AbortSignal) => {
          client.abort()
          await untilAborted(signal)
        },
      })
      await assert.rejects(api.call('createSandbox', { as, body: {}, signal: client.signal }), {
        name: 'AbortError',
      })
      await pollUntil('nothing is left', async () => (await assertNothingLeft(), true), deadline)
    })
  }

  it('a delete during the create wins: both callers learn it, nothing is left', async () => {
    const { agent, api } = platform
    const release = new AbortController()
    agent.on('createSandbox', { after: () => untilAborted(release.signal) })
    const creating = api.call('createSandbox', { as, body: {} })
    const id = await pollUntil('it is pending', async () => (await api.list(as))[0]?.id, deadline)
    assert.equal((await api.get(as, id)).status, 'pending')
    await api.refused('invalid_state', 'execCommand', { as, params: { id }, body: { cmd: 'echo' } })
    await api.expect(204, 'destroySandbox', { as, params: { id } })
    release.abort()
    assert.equal((await creating).status, 409)
    await assertNothingLeft()
    const { status, status_reason: reason } = await api.get(as, id)
    assert.deepEqual({ status, reason }, { status: 'stopped', reason: 'It was destroyed on request.' })
  })

  it('many at once, all different', async () => {
    const { api } = platform
    const made = await Promise.all(Array.from({ length: 20 }, () => api.create(as)))
    assert.equal(new Set(made.map(({ id }) => id)).size, 20)
    assert.equal(platform.agent.sandboxes.size, 20)
  })
})
