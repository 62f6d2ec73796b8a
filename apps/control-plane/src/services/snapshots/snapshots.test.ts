// Snapshot templates as their teams see them: names, sizes, what is made from them, and who wins when two want the same.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Account, Api } from '../../../../../test/support/api.ts'
import { untilAborted } from '../../../../../test/support/fake-agent.ts'
import { createPlatform, type Platform } from '../../../../../test/support/control-plane.ts'

type Sandbox = PublicSchemas['Sandbox']
type Template = PublicSchemas['Template']

const deadline = { timeoutMs: 10_000 }

describe('snapshots', () => {
  let platform: Platform
  let other: Api
  let as: Account

  before(async () => {
    platform = await createPlatform()
    other = (await platform.another()).api
  })

  beforeEach(async () => {
    as = await platform.api.account()
  })

  after(() => platform.remove())
  afterEach(() => platform.agent.heal())

  const call = (sandbox_id: string, name?: string, query?: string) => ({
    as,
    body: { sandbox_id, ...(name === undefined ? {} : { name }) },
    ...(query === undefined ? {} : { query }),
  })
  const make = async (name?: string, query?: string, api = platform.api): Promise<Template> => {
    const { id } = await platform.api.create(as)
    return api.expect<Template>(201, 'createSnapshot', call(id, name, query))
  }
  const list = (query?: string, who = as) =>
    platform.api.expect<Template[]>(200, 'listSnapshots', {
      as: who,
      ...(query === undefined ? {} : { query }),
    })
  const remove = (name: string) => ({ as, params: { name } })

  /** The keys at the agent are those of these sizes' snapshots, soon. */
  const agentHas = (count: number, mine: (key: string) => boolean = () => true): Promise<true> =>
    pollUntil(
      `the agent has ${count} snapshots`,
      () => ([...platform.agent.snapshots.keys()].filter(mine).length === count ? true : undefined),
      deadline,
    )

  it('of another VMM: a sandbox made from one whose disk had to be booted says so', async () => {
    const { api, agent } = platform
    await make('old')
    const key = [...agent.snapshots.keys()].at(-1) ?? ''
    agent.machine.coldNext(key, 'Its disk was booted')
    const made = await api.create(as, { template: 'old' })
    assert.deepEqual([made.status, made.status_reason], ['running', 'Its disk was booted'])
    assert.equal((await api.get(as, made.id ?? '')).status_reason, 'Its disk was booted')
  })

  it('of a running and of a paused sandbox: the sandbox is stopped and says what it became', async () => {
    const { api, agent } = platform
    for (const state of ['running', 'paused']) {
      const { id } = await api.create(as, { vcpus: 2, memory_mb: 256 })
      if (state === 'paused') await api.expect(200, 'pauseSandbox', { as, params: { id } })
      const made = await api.expect<Template>(201, 'createSnapshot', call(id, state))
      const { created_at: createdAt, ...rest } = made
      assert.deepEqual(rest, {
        name: state,
        type: 'snapshot',
        vcpus: 2,
        memory_mb: 256,
        size_bytes: 256 * 1024 * 1024,
      })
      assert.ok(Date.now() - Date.parse(createdAt) < 60_000)
      const gone = await api.get(as, id)
      assert.deepEqual([gone.status, gone.status_reason], ['stopped', `It became the snapshot ${state}.`])
      assert.ok(!agent.sandboxes.has(id))
      assert.match(await api.refused('invalid_state', 'createSnapshot', call(id, 'again')), /is stopped/)
    }
    assert.deepEqual(
      (await list('type=snapshot')).map(({ name }) => name),
      ['paused', 'running'],
    )
  })

  it('are listed with the base templates, by type, and to their team only', async () => {
    const stranger = await platform.api.account()
    await make('mine')
    const all = await list()
    assert.deepEqual(
      all.map(({ name, type, vcpus, memory_mb: memory }) => [name, type, vcpus, memory]),
      [
        ['minimal', 'base', null, null],
        ['mine', 'snapshot', 1, 512],
      ],
    )
    assert.deepEqual(await list('type=base'), all.slice(0, 1))
    assert.deepEqual(await list('type=snapshot'), all.slice(1))
    assert.deepEqual(await list('type=snapshot', stranger), [])
    await platform.api.refused('not_found', 'deleteSnapshot', { as: stranger, params: { name: 'mine' } })
    await platform.api.refused('not_found', 'createSandbox', { as: stranger, body: { template: 'mine' } })
  })

  it('are listed also while the agent is down', async () => {
    await make('mine')
    await platform.agent.stop()
    try {
      assert.deepEqual(
        (await list()).map(({ name }) => name),
        ['minimal', 'mine'],
      )
    } finally {
      await platform.agent.start()
    }
  })

  it('get a name when none is given, and may have the name of another team’s', async () => {
    assert.match((await make()).name, /^snapshot-[a-z2-7]{8}$/)
    await make('same')
    as = await platform.api.account()
    await make('same')
  })

  it('become sandboxes with their own size, and no other', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as, { vcpus: 2, memory_mb: 1024 })
    await api.expect(201, 'createSnapshot', call(id, 'tool'))
    const clone = await api.create(as, { template: 'tool' })
    const { template, vcpus, memory_mb: memory } = clone
    assert.deepEqual({ template, vcpus, memory }, { template: 'tool', vcpus: 2, memory: 1024 })
    assert.equal(agent.sandboxes.get(clone.id)?.template, 'minimal')
    await api.create(as, { template: 'tool', vcpus: 2, memory_mb: 1000 })
    for (const body of [{ vcpus: 1 }, { memory_mb: 512 }, { memory_mb: 1025 }])
      assert.match(
        await api.refused('invalid_request', 'createSandbox', { as, body: { template: 'tool', ...body } }),
        /^(vcpus|memory_mb): the snapshot tool has (2|1024)$/,
      )
    assert.equal((await api.create(as)).memory_mb, 512)
    // And on: from the clone another, whose base is the same.
    await api.expect(201, 'createSnapshot', call(clone.id, 'next'))
    assert.equal((await api.create(as, { template: 'next' })).vcpus, 2)
  })

  it('are deleted once; what was made from them lives on', async () => {
    const { api, agent } = platform
    const before = agent.snapshots.size
    await make('gone')
    const { id } = await api.create(as, { template: 'gone' })
    await api.expect(204, 'deleteSnapshot', remove('gone'))
    assert.equal(agent.snapshots.size, before)
    await api.refused('not_found', 'deleteSnapshot', remove('gone'))
    await api.refused('not_found', 'createSandbox', { as, body: { template: 'gone' } })
    assert.equal((await api.get(as, id)).status, 'running')
    await make('gone')
  })

  it('are deleted also while the agent is down: their files go when it is back', async () => {
    const { api, agent } = platform
    await make('gone')
    const before = agent.snapshots.size
    await agent.stop()
    try {
      await api.expect(204, 'deleteSnapshot', remove('gone'))
      assert.deepEqual(await list('type=snapshot'), [])
    } finally {
      await agent.start()
    }
    await agentHas(before - 1)
  })

  it('do not take the names of base templates, nor are those deleted', async () => {
    const { api } = platform
    const { id } = await api.create(as)
    assert.match(await api.refused('already_exists', 'createSnapshot', call(id, 'minimal')), /base template/)
    const overwriting = call(id, 'minimal', 'overwrite=true')
    assert.match(await api.refused('forbidden', 'createSnapshot', overwriting), /base template/)
    assert.match(await api.refused('forbidden', 'deleteSnapshot', remove('minimal')), /base template/)
    assert.equal((await api.get(as, id)).status, 'running')
  })

  it('are not overwritten unless that is asked for; the refused sandbox runs on', async () => {
    const { api, agent } = platform
    await make('taken')
    const keys = new Set(agent.snapshots.keys())
    const { id } = await api.create(as, { vcpus: 3 })
    assert.match(await api.refused('already_exists', 'createSnapshot', call(id, 'taken')), /overwrite=true/)
    assert.equal((await api.get(as, id)).status, 'running')
    assert.equal(agent.sandboxes.get(id)?.status, 'running')
    await api.expect(201, 'createSnapshot', call(id, 'taken', 'overwrite=true'))
    assert.equal((await api.create(as, { template: 'taken' })).vcpus, 3)
    assert.equal((await list('type=snapshot')).length, 1)
    // The old one goes, by itself.
    await pollUntil(
      'there are as many as before',
      () => agent.snapshots.size === keys.size || undefined,
      deadline,
    )
  })

  it('two of one name at once: one wins, and the other’s sandbox is as it was', async () => {
    const { api, agent } = platform
    for (const query of [undefined, 'overwrite=true']) {
      for (let turn = 0; turn < 5; turn += 1) {
        const name = `race-${String(query !== undefined)}-${turn}`
        const sandboxes = await Promise.all([api.create(as), api.create(as)])
        const answers = await Promise.all(
          [api, other].map((one, n) => one.call('createSnapshot', call(sandboxes[n]?.id ?? '', name, query))),
        )
        const statuses = answers.map(({ status }) => status)
        assert.ok(statuses.includes(201), statuses.join())
        for (const [n, { id }] of sandboxes.entries()) {
          const row = await api.get(as, id)
          assert.equal(row.status, statuses[n] === 201 ? 'stopped' : 'running')
          assert.equal(agent.sandboxes.has(id), statuses[n] !== 201)
        }
        if (query === undefined) assert.ok(statuses.includes(409))
        assert.equal((await list('type=snapshot')).filter((one) => one.name === name).length, 1)
      }
    }
  })

  it('two of one sandbox at once: one wins', async () => {
    const { api } = platform
    const { id } = await api.create(as)
    const answers = await Promise.all(
      [api, other].map((one, n) => one.call('createSnapshot', call(id, `of-one-${n}`))),
    )
    const statuses = answers.map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 201).length, 1)
    assert.ok(statuses.some((status) => status === 409 || status === 404))
    assert.equal((await list('type=snapshot')).length, 1)
  })

  it('that are overwritten again and again give every create the old or the new, whole', async () => {
    const { api, agent } = platform
    const ids = await Promise.all([2, 3, 2, 3, 2, 3].map((vcpus) => api.create(as, { vcpus })))
    await make('moving')
    const done = new AbortController()
    const overwrite = async (): Promise<void> => {
      for (const { id } of ids)
        await other.expect(201, 'createSnapshot', call(id, 'moving', 'overwrite=true'))
      done.abort()
    }
    const clones: Sandbox[] = []
    const create = async (): Promise<void> => {
      while (!done.signal.aborted) clones.push(await api.create(as, { template: 'moving' }))
    }
    await Promise.all([overwrite(), create(), create()])
    assert.ok(clones.length > 0)
    for (const { id, vcpus } of clones) {
      assert.ok([1, 2, 3].includes(vcpus))
      assert.equal(agent.sandboxes.get(id)?.vcpus, vcpus)
    }
  })

  it('a create from a name that is overwritten in the middle of it takes the new one', async () => {
    const { api, agent } = platform
    await make('moving')
    const { id } = await api.create(as, { vcpus: 4 })
    let first = true
    agent.on('createSandbox', {
      before: async () => {
        if (!first) return
        first = false
        await api.expect(201, 'createSnapshot', call(id, 'moving', 'overwrite=true'))
        await api.expect(200, 'health')
        agent.snapshots.delete([...agent.snapshots.values()].findLast(({ vcpus }) => vcpus === 1)?.key ?? '')
      },
    })
    assert.equal((await api.create(as, { template: 'moving' })).vcpus, 4)
  })

  it('a create from one that is deleted in the middle of it succeeds or is 404, whole', async () => {
    const { api, agent } = platform
    for (const when of ['before', 'after'] as const) {
      await make('going')
      const earlier = agent.sandboxes.size
      agent.on('createSandbox', {
        [when]: async () => {
          await api.expect(204, 'deleteSnapshot', remove('going'))
        },
      })
      const { status } = await api.call('createSandbox', { as, body: { template: 'going' } })
      agent.heal()
      assert.equal(status, when === 'before' ? 404 : 201)
      assert.equal(agent.sandboxes.size, earlier + (when === 'before' ? 0 : 1))
    }
  })

  it('that its host lost says so, and can be deleted', async () => {
    const { api, agent } = platform
    await make('lost')
    agent.snapshots.delete([...agent.snapshots.keys()].at(-1) ?? '')
    assert.match(
      await api.refused('agent_error', 'createSandbox', { as, body: { template: 'lost' } }),
      /does not have the snapshot lost/,
    )
    await api.expect(204, 'deleteSnapshot', remove('lost'))
  })

  it('with an Idempotency-Key are made once, and the answer is kept', async () => {
    const { api } = platform
    const { id } = await api.create(as)
    const keyed = { ...call(id, 'once'), headers: { 'idempotency-key': 'a' } }
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? api : other).expect(201, 'createSnapshot', keyed)),
    )
    for (const answer of answers) assert.deepEqual(answer, answers[0])
    await api.expect(204, 'deleteSnapshot', remove('once'))
    assert.deepEqual(await other.expect(201, 'createSnapshot', keyed), answers[0])
    for (const different of [call(id, 'twice'), call(id, 'once', 'overwrite=true')])
      await api.refused('idempotency_conflict', 'createSnapshot', {
        ...different,
        headers: { 'idempotency-key': 'a' },
      })
  })

  it('a delete of the sandbox in the middle wins', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    const release = new AbortController()
    const begun = new Promise<void>((resolve) => {
      agent.on('createSnapshot', { during: () => (resolve(), untilAborted(release.signal)) })
    })
    const making = api.call('createSnapshot', call(id, 'never'))
    await begun
    await api.expect(204, 'destroySandbox', { as, params: { id } })
    release.abort()
    assert.equal((await making).status, 404)
    assert.deepEqual(await list('type=snapshot'), [])
    assert.ok(!agent.sandboxes.has(id))
    await make('never')
  })
})
