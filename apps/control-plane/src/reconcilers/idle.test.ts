// Sandboxes that their agent pauses or ends by itself, and those that are paused for longer than the platform keeps them.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { createLogger, pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Account } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'

type Sandbox = PublicSchemas['Sandbox']

const deadline = { timeoutMs: 10_000 }
const daySec = 86_400

describe('idle sandboxes', () => {
  let platform: Platform
  let as: Account
  const lines: Record<string, unknown>[] = []

  before(async () => {
    const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
    platform = await createPlatform({
      logger: createLogger('control-plane', 'info', { write }),
      limits: { pausedRetentionSec: 10 * daySec },
    })
    as = await platform.api.account()
  })

  afterEach(() => platform.agent.heal())
  after(() => platform.remove())

  const eventually = (id: string, status: string): Promise<Sandbox> =>
    pollUntil(
      `${id} is ${status}`,
      async () => {
        const sandbox = await platform.api.get(as, id)
        return sandbox.status === status ? sandbox : undefined
      },
      deadline,
    )
  const pausedFor = (id: string, seconds: number): Promise<object[]> =>
    query(
      platform.databaseUrl,
      `update sandboxes set paused_at = now() - interval '${seconds} seconds' where id = '${id}'`,
    )
  const retentionLines = (id: string) =>
    lines.filter(({ op, sandboxId }) => op === 'retention' && sandboxId === id)

  it('are paused by their agent after timeout_sec: the row follows, and a resume begins anew', async () => {
    const { api } = platform
    const made = await api.create(as, { timeout_sec: 1 })
    assert.equal(made.on_timeout, 'pause')
    const paused = await eventually(made.id, 'paused')
    assert.equal(paused.status_reason, 'It was idle for 1 s.')
    assert.equal(paused.host_ip, undefined)
    const resumed = await api.expect<Sandbox>(200, 'resumeSandbox', { as, params: { id: made.id } })
    assert.equal(resumed.status_reason, undefined)
    await eventually(made.id, 'paused')
  })

  it('are destroyed after timeout_sec when that was asked for, and say so', async () => {
    const { api, agent } = platform
    const made = await api.create(as, { timeout_sec: 1, on_timeout: 'destroy' })
    const ended = await eventually(made.id, 'stopped')
    assert.match(ended.status_reason ?? '', /^It was destroyed after 1 s without activity/)
    await pollUntil('the agent has nothing of it', () => !agent.sandboxes.has(made.id) || undefined, deadline)
  })

  it('are not idle while a command runs; a ping begins the time anew, at the agent', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as, { timeout_sec: 1 })
    const body = { cmd: 'sleep', args: ['1.5'] }
    await api.expect(200, 'execCommand', { as, params: { id }, body })
    assert.equal(agent.sandboxes.get(id)?.status, 'running')
    const pings = agent.count('touchSandbox')
    await api.expect(204, 'pingSandbox', { as, params: { id } })
    assert.equal(agent.count('touchSandbox'), pings + 1)
  })

  it('whose pause is not known yet refuse with 409, and are shown at once', async () => {
    const { api, agent } = platform
    const slow = await platform.another({ reconcileIntervalMs: 3_600_000 })
    const { id } = await api.create(as, { timeout_sec: 600 })
    agent.machine.idleOut(id)
    await slow.api.refused('invalid_state', 'execCommand', { as, params: { id }, body: { cmd: 'echo' } })
    await eventually(id, 'paused')
    await slow.api.refused('invalid_state', 'pingSandbox', { as, params: { id } })
  })

  it('that are paused for long are warned of once, a day before, and destroyed in time', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    await api.expect(200, 'pauseSandbox', { as, params: { id } })
    await pausedFor(id, 9 * daySec - 60)
    const lists = agent.count('listSandboxes')
    await pollUntil('it was compared', () => agent.count('listSandboxes') > lists + 2 || undefined, deadline)
    assert.deepEqual(retentionLines(id), [])
    await pausedFor(id, 9 * daySec + 60)
    await pollUntil('it is warned of', () => retentionLines(id).length > 0 || undefined, deadline)
    const [warning] = retentionLines(id)
    assert.equal(warning?.['outcome'], 'soon')
    assert.match(String(warning?.['warning']), /will be destroyed at \d{4}-/)
    await pausedFor(id, 10 * daySec + 60)
    const ended = await eventually(id, 'stopped')
    assert.equal(
      ended.status_reason,
      'It was paused for more than 10.0 days, the retention of this platform.',
    )
    await pollUntil('the agent has nothing of it', () => !agent.sandboxes.has(id) || undefined, deadline)
    assert.deepEqual(
      retentionLines(id).map(({ outcome }) => outcome),
      ['soon', 'destroyed'],
    )
  })

  it('that are resumed before the end have all the time again', async () => {
    const { api } = platform
    const { id } = await api.create(as)
    await api.expect(200, 'pauseSandbox', { as, params: { id } })
    await pausedFor(id, 9 * daySec + 60)
    await pollUntil('it is warned of', () => retentionLines(id).length > 0 || undefined, deadline)
    await api.expect(200, 'resumeSandbox', { as, params: { id } })
    await api.expect(200, 'pauseSandbox', { as, params: { id } })
    const [row] = await query<{ warned: Date | null; age: number }>(
      platform.databaseUrl,
      `select retention_warned_at as warned, extract(epoch from now() - paused_at)::int as age
       from sandboxes where id = '${id}'`,
    )
    assert.equal(row?.warned, null)
    assert.ok(row.age < 60)
  })

  it('of the whole platform are paused for its stop and resumed by its next start', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    await agent.machine.suspend()
    await eventually(id, 'paused')
    await agent.stop()
    await agent.start()
    await eventually(id, 'running')
  })
})
