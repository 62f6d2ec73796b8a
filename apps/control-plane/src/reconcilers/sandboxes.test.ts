import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { newId, pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Account } from '../../../../test/support/api.ts'
import { untilAborted } from '../../../../test/support/fake-agent.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'

const deadline = { timeoutMs: 10_000 }

describe('the reconciler', () => {
  let platform: Platform
  let as: Account

  before(async () => {
    platform = await createPlatform()
    as = await platform.api.account()
  })

  after(() => platform.remove())
  afterEach(() => platform.agent.heal())

  /** The sandbox once it has this status. */
  function eventually(id: string, status: string): Promise<PublicSchemas['Sandbox']> {
    const look = async (): Promise<PublicSchemas['Sandbox'] | undefined> => {
      const sandbox = await platform.api.get(as, id)
      return sandbox.status === status ? sandbox : undefined
    }
    return pollUntil(`${id} is ${status}`, look, deadline)
  }

  /** Returns after this many more comparisons, each with the list of the agent. */
  async function comparisons(count: number): Promise<void> {
    const lists = (): number => platform.agent.count('listSandboxes')
    const wanted = lists() + count + 1
    await pollUntil('the reconciler has compared', () => lists() >= wanted || undefined, deadline)
  }

  it('stops what the agent does not have any more', async () => {
    const { id } = await platform.api.create(as)
    platform.agent.sandboxes.delete(id)
    const stopped = await eventually(id, 'stopped')
    assert.equal(stopped.status_reason, 'Its host does not have it any more.')
    assert.equal(stopped.guest_ip, undefined)
    assert.equal(stopped.host_ip, undefined)
  })

  it('says what became of a VM that ended by itself, and a delete clears it', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    agent.machine.fail(id, 'The kernel panicked.')
    const failed = await eventually(id, 'error')
    assert.equal(failed.status_reason, 'The kernel panicked.')
    assert.ok((await api.list(as)).some((other) => other.id === id))
    assert.match(await api.refused('invalid_state', 'pingSandbox', { as, params: { id } }), /is error/)
    await comparisons(2)
    assert.ok(agent.sandboxes.has(id))
    await api.expect(204, 'destroySandbox', { as, params: { id } })
    assert.ok(!agent.sandboxes.has(id))
  })

  it('destroys what nobody owns', async () => {
    const { agent } = platform
    const id = newId('sb')
    agent.sandboxes.set(id, {
      id,
      status: 'running',
      generation: 1,
      template: 'minimal',
      vcpus: 1,
      memory_mib: 128,
    })
    await pollUntil('the orphan is destroyed', () => !agent.sandboxes.has(id) || undefined, deadline)
  })

  it('tries an orphan again that could not be destroyed', async () => {
    const { agent } = platform
    const id = newId('sb')
    let attempts = 0
    agent.on('destroySandbox', {
      before: async () => {
        attempts += 1
        if (attempts < 3) throw new Error('not now')
      },
    })
    agent.sandboxes.set(id, {
      id,
      status: 'running',
      generation: 1,
      template: 'minimal',
      vcpus: 1,
      memory_mib: 128,
    })
    await pollUntil('the orphan is destroyed', () => !agent.sandboxes.has(id) || undefined, deadline)
  })

  it('leaves alone what is being created', async () => {
    const { agent, api } = platform
    const earlier = agent.sandboxes.size
    const release = new AbortController()
    agent.on('createSandbox', { after: () => untilAborted(release.signal) })
    const creating = api.create(as)
    await pollUntil('the agent has it', () => agent.sandboxes.size > earlier || undefined, deadline)
    await comparisons(3)
    release.abort()
    const { id } = await creating
    await comparisons(2)
    assert.equal((await api.get(as, id)).status, 'running')
    assert.ok(agent.sandboxes.has(id))
  })

  it('clears up after a creator that died: the row goes, and the sandbox', async () => {
    const { agent, api, databaseUrl } = platform
    const { id } = await api.create(as)
    await query(
      databaseUrl,
      `update sandboxes set status = 'pending', lease_expires_at = now() - interval '1 second' where id = '${id}'`,
    )
    await pollUntil(
      'the row is gone',
      async () => {
        const { status } = await api.call('getSandbox', { as, params: { id } })
        return status === 404 || undefined
      },
      deadline,
    )
    await pollUntil('the sandbox is gone', () => !agent.sandboxes.has(id) || undefined, deadline)
  })

  it('keeps the lease of a create that takes long', async () => {
    const { agent } = platform
    const slow = await platform.another({ leaseSec: 1 })
    const release = new AbortController()
    agent.on('createSandbox', { before: () => untilAborted(release.signal) })
    const creating = slow.api.create(as)
    const lease = async (): Promise<string | undefined> => {
      const rows = await query<{ lease: string }>(
        platform.databaseUrl,
        `select lease_expires_at::text as lease from sandboxes where status = 'pending'`,
      )
      return rows[0]?.lease
    }
    const first = await pollUntil('it is pending', lease, deadline)
    // Renewed often enough to outlive its first length.
    const outlived = async (): Promise<true | undefined> => {
      const current = await lease()
      return current !== undefined && Date.parse(current) > Date.parse(first) + 1_000 ? true : undefined
    }
    await pollUntil('the lease is renewed', outlived, deadline)
    release.abort()
    await creating
  })

  it('beside others on one database and agent loses nothing and leaves nothing', async () => {
    const { agent, api } = platform
    const others = await Promise.all([platform.another(), platform.another()])
    const apis = [api, ...others.map((other) => other.api)]
    await Promise.all(
      Array.from({ length: 30 }, async (_, turn) => {
        const [one, another] = [apis[turn % 3], apis[(turn + 1) % 3]]
        assert.ok(one && another)
        const { id } = await one.create(as)
        await another.expect(200, 'execCommand', { as, params: { id }, body: { cmd: 'echo' } })
        if (turn % 2 === 0) await another.expect(204, 'destroySandbox', { as, params: { id } })
      }),
    )
    await comparisons(6)
    const alive = (await api.list(as)).filter(({ status }) => status === 'running').map(({ id }) => id)
    assert.deepEqual(new Set(agent.sandboxes.keys()), new Set<string>(alive))
    assert.ok(alive.length >= 15)
  })

  it('runs at the start: what happened while no control plane ran is put right', async () => {
    const { agent, api } = platform
    const { id } = await api.create(as)
    const late = await platform.another({ reconcileIntervalMs: 3_600_000 })
    await late.close()
    agent.sandboxes.delete(id)
    const next = await platform.another({ reconcileIntervalMs: 3_600_000 })
    assert.equal((await next.api.get(as, id)).status, 'stopped')
  })
})
