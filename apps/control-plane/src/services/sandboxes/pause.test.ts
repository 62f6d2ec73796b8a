// Pause and resume: whatever fails, and whoever goes away in the middle, row and agent agree afterwards.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { AppError, pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Account, ApiAnswer } from '../../../../../test/support/api.ts'
import { untilAborted } from '../../../../../test/support/fake-agent.ts'
import { createPlatform, type Platform } from '../../../../../test/support/control-plane.ts'
import { query } from '../../../../../test/support/postgres.ts'

type Sandbox = PublicSchemas['Sandbox']

const deadline = { timeoutMs: 10_000 }
const changes = [
  { change: 'pauseSandbox', from: 'running', to: 'paused' },
  { change: 'resumeSandbox', from: 'paused', to: 'running' },
] as const

describe('pause and resume', () => {
  let platform: Platform
  let as: Account

  before(async () => {
    // No reconciler, but where a test says so: it would hide what a request forgets.
    platform = await createPlatform({
      reconcileIntervalMs: 3_600_000,
      agentDeadlines: { changeMs: 300, healthMs: 500 },
    })
    as = await platform.api.account()
  })

  after(() => platform.remove())
  afterEach(() => platform.agent.heal())

  const call = (id: string) => ({ as, params: { id } })
  const pause = (id: string) => platform.api.expect<Sandbox>(200, 'pauseSandbox', call(id))
  const resume = (id: string) => platform.api.expect<Sandbox>(200, 'resumeSandbox', call(id))

  /** A sandbox in the state that a change begins in. */
  async function sandboxThat(status: 'running' | 'paused', api = platform.api): Promise<string> {
    const { id } = await api.create(as)
    if (status === 'paused') await pause(id)
    return id
  }

  /** Row and agent have the same sandbox in the same state; returns that. */
  async function agreed(id: string): Promise<string> {
    const row = await platform.api.get(as, id)
    const atAgent = platform.agent.sandboxes.get(id)
    assert.equal(row.status, atAgent?.status)
    assert.equal(row.host_ip, atAgent?.host_ip)
    assert.equal(row.guest_ip, atAgent?.guest_ip)
    return row.status
  }

  const agree = (id: string, status: string): Promise<true> =>
    pollUntil(
      `${id} is ${status} everywhere`,
      async () => {
        const row = await platform.api.get(as, id)
        const atAgent = platform.agent.sandboxes.get(id)
        return row.status === status && atAgent?.status === status ? true : undefined
      },
      deadline,
    )

  it('go round: no addresses while paused, new ones after, nothing else changed', async () => {
    const { api } = platform
    const made = await api.create(as, { vcpus: 2, timeout_sec: 600, metadata: { a: 'b' } })
    const paused = await pause(made.id)
    const { guest_ip: _g, host_ip: _h, last_updated: _u, ...same } = made
    assert.deepEqual(
      { ...paused, last_updated: undefined },
      { ...same, status: 'paused', last_updated: undefined },
    )
    assert.deepEqual(await api.get(as, made.id), paused)
    assert.ok((await api.list(as)).some(({ id }) => id === made.id))
    const resumed = await resume(made.id)
    assert.equal(resumed.status, 'running')
    assert.notEqual(resumed.host_ip, made.host_ip)
    assert.ok(resumed.started_at && made.started_at && resumed.started_at > made.started_at)
    assert.ok(resumed.last_active_at && resumed.last_active_at >= resumed.started_at)
    assert.equal(resumed.created_at, made.created_at)
    await api.expect(200, 'execCommand', { ...call(made.id), body: { cmd: 'echo' } })
  })

  it('refuse what a paused sandbox cannot do, naming its state', async () => {
    const { api } = platform
    const id = await sandboxThat('paused')
    for (const [operation, body] of [
      ['execCommand', { cmd: 'echo' }],
      ['downloadFile', { path: '/a' }],
      ['pingSandbox', undefined],
      ['pauseSandbox', undefined],
    ] as const)
      assert.match(await api.refused('invalid_state', operation, { ...call(id), body }), /is paused/)
    await resume(id)
    assert.match(await api.refused('invalid_state', 'resumeSandbox', call(id)), /is running/)
  })

  it('take an empty body of any type', async () => {
    const { id } = await platform.api.create(as)
    for (const { change } of changes)
      await platform.api.expect(200, change, { ...call(id), headers: { 'content-type': 'application/json' } })
  })

  it('say why a sandbox was booted anew, until its next pause', async () => {
    const { agent, api } = platform
    const id = await sandboxThat('paused')
    agent.machine.coldNext(id, 'Its memory was lost.')
    assert.equal((await resume(id)).status_reason, 'Its memory was lost.')
    assert.equal((await api.get(as, id)).status_reason, 'Its memory was lost.')
    assert.equal((await pause(id)).status_reason, undefined)
  })

  it('show in Server-Timing where a resume’s time went', async () => {
    const id = await sandboxThat('paused')
    const { headers } = await platform.api.call('resumeSandbox', call(id))
    const phases = (headers.get('server-timing') ?? '').split(', ').map((entry) => entry.split(';')[0])
    assert.deepEqual(phases, ['place', 'fake'])
  })

  for (const { change, from, to } of changes) {
    it(`two at once: one ${change} gives 200, one 409`, async () => {
      const { api } = platform
      const second = (await platform.another({ reconcileIntervalMs: 3_600_000 })).api
      for (let turn = 0; turn < 10; turn += 1) {
        const id = await sandboxThat(from)
        const answers = await Promise.all([api, second].map((one) => one.call(change, call(id))))
        assert.deepEqual(
          answers.map(({ status }) => status).toSorted((a, b) => a - b),
          [200, 409],
        )
        assert.equal(await agreed(id), to)
      }
    })

    const failures = [
      { thrown: new AppError('agent_error', 'The VM does not stop'), code: 'agent_error' },
      { thrown: new AppError('no_capacity', 'The disk is full'), code: 'no_capacity' },
      { thrown: new Error('a bug'), code: 'agent_error' },
    ]
    for (const { thrown, code } of failures) {
      for (const when of ['before', 'during', 'after'] as const) {
        it(`${change}: the agent fails with "${thrown.message}" ${when} it: ${code}, row and agent agree`, async () => {
          const { api, agent } = platform
          const id = await sandboxThat(from)
          agent.on(change, { [when]: () => Promise.reject(thrown) })
          const { status, headers, body } = await api.call<PublicSchemas['Error']>(change, call(id))
          assert.equal(body.error.code, code)
          assert.doesNotMatch(body.error.message, /bug/)
          assert.equal(headers.has('retry-after'), status === 503)
          assert.equal(await agreed(id), when === 'after' ? to : from)
        })
      }
    }

    for (const when of ['before', 'during', 'after'] as const) {
      it(`${change}: the agent hangs past the deadline ${when} it: agent_error, another control plane converges`, async () => {
        const { agent } = platform
        const id = await sandboxThat(from)
        const release = new AbortController()
        agent.on(change, { [when]: () => untilAborted(release.signal) })
        await platform.api.refused('agent_error', change, call(id))
        release.abort()
        const reconciling = await platform.another({ reconcileIntervalMs: 50 })
        await agree(id, to)
        await reconciling.close()
      })

      it(`${change}: the connection breaks ${when} it: agent_error, row and agent agree soon`, async () => {
        const { agent } = platform
        const id = await sandboxThat(from)
        agent.on(change, {
          [when]: async (signal: AbortSignal) => {
            agent.breakConnections()
            await untilAborted(signal)
          },
        })
        await platform.api.refused('agent_error', change, call(id))
        await agree(id, to)
      })

      it(`${change}: the client goes away ${when} it: it is done all the same`, async () => {
        const { agent, api } = platform
        const id = await sandboxThat(from)
        const client = new AbortController()
        const release = new AbortController()
        agent.on(change, {
          [when]: async () => {
            client.abort()
            await untilAborted(release.signal)
          },
        })
        await assert.rejects(api.call(change, { ...call(id), signal: client.signal }), { name: 'AbortError' })
        release.abort()
        await agree(id, to)
      })

      it(`a delete ${when} a ${change} wins`, async () => {
        const { agent, api } = platform
        const id = await sandboxThat(from)
        const release = new AbortController()
        const begun = new Promise<void>((resolve) => {
          agent.on(change, { [when]: () => (resolve(), untilAborted(release.signal)) })
        })
        const changing: Promise<ApiAnswer> = api.call(change, call(id))
        await begun
        await api.expect(204, 'destroySandbox', call(id))
        release.abort()
        assert.equal((await changing).status, 404)
        assert.ok(!agent.sandboxes.has(id))
        const { status, status_reason: reason } = await api.get(as, id)
        assert.deepEqual([status, reason], ['stopped', 'It was destroyed on request.'])
      })
    }

    it(`${change}: the agent is not there: unavailable, and the sandbox is as it was`, async () => {
      const { api, agent } = platform
      const id = await sandboxThat(from)
      await agent.stop()
      await api.refused('unavailable', change, call(id))
      await agent.start()
      assert.equal(await agreed(id), from)
    })

    it(`${change}: the row cannot be written: 500, and the next comparison does it`, async () => {
      const { databaseUrl } = platform
      const id = await sandboxThat(from)
      await query(
        databaseUrl,
        `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'secret'; end $$;
         create trigger refuse before update on sandboxes for each row when (new.status = '${to}') execute function refuse()`,
      )
      try {
        assert.match(await platform.api.refused('internal_error', change, call(id)), /request id/)
      } finally {
        await query(databaseUrl, 'drop trigger refuse on sandboxes; drop function refuse')
      }
      const reconciling = await platform.another({ reconcileIntervalMs: 50 })
      await agree(id, to)
      await reconciling.close()
    })
  }

  it('a pause during a command gives it 409', async () => {
    const { api, agent } = platform
    const id = await sandboxThat('running')
    const earlier = agent.count('exec')
    const body = { cmd: 'sleep', args: ['60'] }
    const running = api.refused('invalid_state', 'execCommand', { ...call(id), body })
    await pollUntil('the command runs', () => agent.count('exec') > earlier || undefined, deadline)
    await pause(id)
    await running
  })
})
