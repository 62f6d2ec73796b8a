// Lives of sandboxes as fast-check makes them up: steps on two control planes, some at the same time, with answers of the
// agent lost, late or wrong, and sandboxes that pause, end and fail by themselves. Afterwards rows and agent agree, and
// whatever is gone was asked to go or has become a snapshot. TEST_LIFE_RUNS changes how many.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { AppError, pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Account, Api } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import type { Fault } from '../../../../test/support/fake-agent.ts'
import { query } from '../../../../test/support/postgres.ts'

type Sandbox = PublicSchemas['Sandbox']

const runs = Number(process.env['TEST_LIFE_RUNS'] ?? 60)

const faulty = ['createSandbox', 'pauseSandbox', 'resumeSandbox', 'createSnapshot', 'destroySandbox'] as const
const faults = ['none', 'none', 'error before', 'error during', 'error after', 'lost', 'broken'] as const
const actions = ['pause', 'resume', 'pause', 'resume', 'snapshot', 'overwrite', 'destroy', 'clone'] as const
const alone = ['idles', 'fails', 'agent restarts'] as const

/** Those of a group run at the same time. */
const group = fc.record({
  fault: fc.record({ operation: fc.constantFrom(...faulty), kind: fc.constantFrom(...faults) }),
  steps: fc.array(
    fc.record({
      action: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...actions) },
        { weight: 1, arbitrary: fc.constantFrom(...alone) },
      ),
      sandbox: fc.nat({ max: 2 }),
      plane: fc.nat({ max: 1 }),
      name: fc.constantFrom('a', 'b'),
    }),
    { minLength: 1, maxLength: 4 },
  ),
})
type Group = typeof group extends fc.Arbitrary<infer T> ? T : never
type Step = Group['steps'][number]

describe('a sandbox’s life on two control planes', () => {
  let platform: Platform
  let planes: Api[]
  /** Has time, whatever the machine is busy with: it makes what the lives begin with. */
  let patient: Api
  let as: Account

  before(async () => {
    platform = await createPlatform({
      reconcileIntervalMs: 20,
      leaseSec: 1,
      agentDeadlines: { changeMs: 200, createMs: 200, destroyMs: 200, listMs: 2_000 },
    })
    planes = [platform.api, (await platform.another()).api]
    patient = (await platform.another({ agentDeadlines: {}, leaseSec: 30 })).api
  })

  after(() => platform.remove())

  it(`of ${runs} ends with rows and agent agreeing, and nothing lost`, async () => {
    const done = new Map<string, number>()
    const lives = fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 6 }), async (groups) => {
      as = await platform.api.account()
      const ids = await Promise.all(Array.from({ length: 3 }, async () => (await patient.create(as)).id))
      const mayGo = new Set<string>()
      for (const { fault, steps } of groups) {
        platform.agent.on(fault.operation, faultOf(fault.kind))
        const statuses = await Promise.all(steps.map((step) => take(step, { ids, mayGo })))
        for (const [n, { action }] of steps.entries()) {
          const key = `${action} ${statuses[n]}`
          done.set(key, (done.get(key) ?? 0) + 1)
        }
        platform.agent.heal()
      }
      await pollUntil('rows and agent agree', () => agreed(mayGo), { timeoutMs: 10_000 }).catch(
        async (error: unknown) => {
          throw new Error(JSON.stringify(await view(), undefined, 1), { cause: error })
        },
      )
    })
    await fc.assert(lives, { numRuns: runs, endOnFailure: true })
    for (const key of ['pause 200', 'pause 409', 'resume 200', 'snapshot 201', 'destroy 204', 'pause 502'])
      assert.ok(done.has(key), `no ${key} among ${JSON.stringify([...done])}`)
  })

  /** Ids of sandboxes that a step makes join `ids`. Returns the status of the answer; 0 when there is none to get. */
  async function take(
    { action, sandbox, plane, name }: Step,
    { ids, mayGo }: { ids: string[]; mayGo: Set<string> },
  ): Promise<number> {
    const { agent } = platform
    const api = planes[plane] ?? platform.api
    const id = ids[sandbox] ?? ''
    const byItself = { idles, fails, 'agent restarts': () => agent.breakConnections() }
    if (action in byItself) {
      byItself[action as keyof typeof byItself](id)
      return 0
    }
    if (action === 'clone') {
      const { status, body } = await api.call<Sandbox>('createSandbox', { as, body: { template: name } })
      if (status === 201) ids.push(body.id)
      return status
    }
    if (action === 'snapshot' || action === 'overwrite') {
      const query = action === 'overwrite' ? { query: 'overwrite=true' } : {}
      return (await api.call('createSnapshot', { as, body: { sandbox_id: id, name }, ...query })).status
    }
    if (action === 'destroy') mayGo.add(id)
    const operations = { pause: 'pauseSandbox', resume: 'resumeSandbox', destroy: 'destroySandbox' } as const
    const operation = operations[action as keyof typeof operations]
    return (await api.call(operation, { as, params: { id } })).status
  }

  function idles(id: string): void {
    const { sandboxes, machine } = platform.agent
    if (sandboxes.get(id)?.status === 'running') machine.idleOut(id)
  }

  function fails(id: string): void {
    const { sandboxes, machine } = platform.agent
    if (sandboxes.get(id)?.status === 'running') machine.fail(id, 'The kernel panicked.')
  }

  /** Undefined as long as they do not. */
  async function agreed(mayGo: ReadonlySet<string>): Promise<true | undefined> {
    const { rows, snapshots, atAgent, keys } = await view()
    const states = rows
      .filter(({ status }) => status !== 'stopped')
      .map(({ id, status }) => `${id} ${status}`)
    if (states.toSorted().join() !== atAgent.toSorted().join()) return undefined
    if (snapshots.some(({ status }) => status === 'pending' || status === 'deleting')) return undefined
    const ready = snapshots.filter(({ status }) => status === 'ready')
    if (
      ready
        .map(({ id }) => id)
        .toSorted()
        .join() !== keys.toSorted().join()
    )
      return undefined
    for (const { id, status, reason } of rows) {
      if (status !== 'stopped') continue
      assert.ok(mayGo.has(id) || reason.startsWith('It became the snapshot'), `${id} is lost: ${reason}`)
    }
    for (const id of mayGo) assert.equal(rows.find((row) => row.id === id)?.status, 'stopped')
    return true
  }

  async function view() {
    const rows = await query<{ id: string; status: string; reason: string }>(
      platform.databaseUrl,
      `select id, status, coalesce(status_reason, '') as reason from sandboxes where team_id = '${as.teamId}'`,
    )
    const snapshots = await query<{ id: string; status: string; sandbox: string }>(
      platform.databaseUrl,
      `select id, status, sandbox_id as sandbox from snapshots where team_id = '${as.teamId}'`,
    )
    // Also what no row knows: it must go.
    const others = await query<{ id: string }>(
      platform.databaseUrl,
      `select id from snapshots where team_id <> '${as.teamId}'
       union all select id from sandboxes where team_id <> '${as.teamId}'`,
    )
    const foreign = new Set(others.map(({ id }) => id))
    const atAgent = [...platform.agent.sandboxes.values()]
      .filter(({ id }) => !foreign.has(id))
      .map(({ id, status }) => `${id} ${status === 'failed' ? 'error' : status}`)
    const keys = [...platform.agent.snapshots.keys()].filter((key) => !foreign.has(key))
    return { rows, snapshots, atAgent, keys }
  }

  function faultOf(kind: (typeof faults)[number]): Fault {
    const fail = async (): Promise<never> => {
      throw new AppError('agent_error', 'injected')
    }
    const broken = async (): Promise<void> => {
      platform.agent.breakConnections()
      await late(20)
    }
    return {
      none: {},
      'error before': { before: fail },
      'error during': { during: fail },
      'error after': { after: fail },
      // Longer than the caller waits; and then it does its work.
      lost: { during: () => late() },
      broken: { during: broken },
    }[kind]
  }

  function late(ms = 300): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms))
  }
})
