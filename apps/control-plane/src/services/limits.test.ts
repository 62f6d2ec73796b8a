// Limits of teams, with two control planes at once: never one more than allowed, and a refusal leaves no trace.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { AppError, pollUntil } from '@wrenn/base'
import type { Account, Api } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'

describe('a team with limits', () => {
  let platform: Platform
  let planes: Api[]
  let as: Account

  before(async () => {
    const limits = { maxRunning: 3, maxPaused: 2, maxSnapshotMb: 1_200 }
    platform = await createPlatform({ limits })
    planes = [platform.api, (await platform.another()).api]
  })

  beforeEach(async () => {
    as = await platform.api.account()
  })

  afterEach(() => platform.agent.heal())
  after(() => platform.remove())

  const change = (operation: 'pauseSandbox' | 'resumeSandbox' | 'destroySandbox', id: string, at = 0) =>
    (planes[at] ?? platform.api).call(operation, { as, params: { id } })
  const counted = async (status: string): Promise<number> =>
    (await platform.api.list(as)).filter((sandbox) => sandbox.status === status).length

  async function paused(count: number): Promise<string[]> {
    const ids: string[] = []
    for (let n = 0; n < count; n += 1) {
      const { id } = await platform.api.create(as)
      assert.equal((await change('pauseSandbox', id)).status, 200)
      ids.push(id)
    }
    return ids
  }

  it('of running sandboxes: of many creates at once so many succeed, and the rest are 403 and leave nothing', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        (planes[n % 2] ?? platform.api).call('createSandbox', { as, body: {} }),
      ),
    )
    const statuses = answers.map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 201).length, 3)
    assert.equal(statuses.filter((status) => status === 403).length, 9)
    assert.match(
      await platform.api.refused('limit_reached', 'createSandbox', { as, body: {} }),
      /has 3 running sandboxes, and at most 3/,
    )
    assert.equal((await platform.api.list(as)).length, 3)
    // Another team has limits of its own.
    await platform.api.create(await platform.api.account())
  })

  it('of running sandboxes: a resume counts, also two at once', async () => {
    const ids = await paused(2)
    for (let n = 0; n < 2; n += 1) await platform.api.create(as)
    const answers = await Promise.all(ids.map((id, n) => change('resumeSandbox', id, n)))
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 403],
    )
    assert.equal(await counted('running'), 3)
    assert.equal(await counted('paused'), 1)
  })

  it('of running sandboxes: a resume that failed does not count, and one that is gone neither', async () => {
    const { api, agent } = platform
    const [id = ''] = await paused(1)
    const others = [await api.create(as), await api.create(as)]
    agent.on('resumeSandbox', { before: () => Promise.reject(new AppError('no_capacity', 'Full')) })
    assert.equal((await change('resumeSandbox', id)).status, 503)
    agent.heal()
    await api.create(as)
    await api.refused('limit_reached', 'resumeSandbox', { as, params: { id } })
    await change('destroySandbox', others[0]?.id ?? '')
    assert.equal((await change('resumeSandbox', id)).status, 200)
  })

  it('of paused sandboxes: two pauses at once are one too many; a sandbox that pauses by itself is not', async () => {
    const { api, agent } = platform
    await paused(1)
    const ids = [(await api.create(as)).id, (await api.create(as, { timeout_sec: 600 })).id]
    const answers = await Promise.all(ids.map((id, n) => change('pauseSandbox', id, n)))
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 403],
    )
    const running = ids.find((id) => agent.sandboxes.get(id)?.status === 'running') ?? ''
    assert.equal((await api.get(as, running)).status, 'running')
    agent.machine.idleOut(running)
    await pollStatus(running, 'paused')
    assert.equal(await counted('paused'), 3)
  })

  async function pollStatus(id: string, status: string): Promise<void> {
    await pollUntil(
      `${id} is ${status}`,
      async () => ((await platform.api.get(as, id)).status === status ? true : undefined),
      { timeoutMs: 10_000 },
    )
  }

  it('of snapshots: a new one counts with its memory; one that is replaced does not', async () => {
    const { api } = platform
    const snapshot = async (name: string, at: Api, overwrite = false) => {
      const { id } = await api.create(as, { memory_mb: 512 })
      const body = { sandbox_id: id, name }
      const call = { as, body, ...(overwrite ? { query: 'overwrite=true' } : {}) }
      const { status } = await at.call('createSnapshot', call)
      if (status === 403) {
        assert.equal((await api.get(as, id)).status, 'running')
        await change('destroySandbox', id)
      }
      return status
    }
    assert.equal(await snapshot('a', planes[0] ?? api), 201)
    const statuses = await Promise.all(planes.map((at, n) => snapshot(`b${n}`, at)))
    assert.deepEqual(
      statuses.toSorted((a, b) => a - b),
      [201, 403],
    )
    assert.equal(await snapshot('c', api), 403)
    assert.equal(await snapshot('a', api, true), 201)
    await api.expect(204, 'deleteSnapshot', { as, params: { name: 'a' } })
    assert.equal(await snapshot('c', api), 201)
  })
})
