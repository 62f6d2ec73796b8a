// The database or the agent goes away and comes back; the control plane says so and goes on.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Account } from '../../../test/support/api.ts'
import { untilAborted } from '../../../test/support/fake-agent.ts'
import { createPlatform, type Platform } from '../../../test/support/control-plane.ts'

type Health = PublicSchemas['Health']

describe('outages', () => {
  let platform: Platform
  let as: Account

  before(async () => {
    platform = await createPlatform()
    as = await platform.api.account()
  })

  after(() => platform.remove())

  it('health tells what the machine has when all is up', async () => {
    const health = await platform.api.expect<Health>(200, 'health')
    assert.equal(health.status, 'ok')
    assert.deepEqual(health.database, { status: 'ok' })
    assert.deepEqual(health.agent.accelerator, { kind: 'tcg', reason: 'This is a fake' })
    assert.equal(health.agent.cpu_cores, 4)
    assert.match(health.version, /^\d+\.\d+\.\d+$/)
  })

  it('serves its contract as it is written', async () => {
    const text = await platform.api.expect<string>(200, 'getContract')
    assert.match(text, /^openapi: "3\.1\.0"\n/)
  })

  it('without its agent it still answers what it can', async () => {
    const { agent, api } = platform
    const { id } = await api.create(as)
    await agent.stop()
    const health = await api.expect<Health>(503, 'health')
    assert.deepEqual(health.database, { status: 'ok' })
    assert.deepEqual(health.agent, { status: 'unavailable', reason: 'The host agent cannot be reached' })
    assert.equal((await api.get(as, id)).status, 'running')
    await api.refused('unavailable', 'execCommand', { as, params: { id }, body: { cmd: 'echo' } })
    await agent.start()
    await api.expect(200, 'execCommand', { as, params: { id }, body: { cmd: 'echo' } })
    assert.equal((await api.get(as, id)).status, 'running')
  })

  it('health does not wait for an agent that hangs', async () => {
    const { agent, api } = platform
    agent.on('health', { before: untilAborted })
    const startedAt = performance.now()
    const health = await api.expect<Health>(503, 'health')
    assert.ok(performance.now() - startedAt < 3_000)
    assert.equal(health.agent.status, 'unavailable')
    agent.heal()
    await api.expect(200, 'health')
  })

  it('starts without its agent, and works once that is there', async () => {
    await platform.agent.stop()
    const early = await platform.another()
    await early.api.refused('unavailable', 'createSandbox', { as, body: {} })
    await platform.agent.start()
    await early.api.create(as)
  })

  it('without its database it says 503 and when to try again, and recovers', async () => {
    const { api, postgres, agent } = platform
    const { id } = await api.create(as)
    await postgres.stop()
    const { status, headers, body } = await api.call<Health>('health')
    assert.equal(status, 503)
    assert.deepEqual(body.database, { status: 'unavailable', reason: 'The database does not answer' })
    assert.equal(body.agent.status, 'ok')
    assert.equal(headers.get('retry-after'), null)
    const login = { email: as.email, password: 'correct horse' }
    const listed = await api.call('listSandboxes', { as })
    assert.equal(listed.status, 503)
    assert.match(listed.headers.get('retry-after') ?? '', /^\d+$/)
    await api.refused('unavailable', 'login', { body: login })
    await api.refused('unavailable', 'execCommand', { as, params: { id }, body: { cmd: 'echo' } })
    await api.refused('unavailable', 'createSandbox', { as: { token: as.token }, body: {} })
    assert.ok(agent.sandboxes.has(id))
    await postgres.start()
    const recovered = async (): Promise<true | undefined> =>
      (await api.call('health')).status === 200 ? true : undefined
    await pollUntil('it recovers', recovered, { timeoutMs: 10_000 })
    await api.expect(200, 'execCommand', { as, params: { id }, body: { cmd: 'echo' } })
  })

  it('a database that goes away during a create leaves nothing behind once it is back', async () => {
    const { api, postgres, agent } = platform
    const before = (await api.list(as)).length
    const call = { as, body: {}, headers: { 'idempotency-key': 'broken off' } }
    agent.on('createSandbox', { after: () => postgres.stop() })
    await api.refused('unavailable', 'createSandbox', call)
    agent.heal()
    await postgres.start()
    const clean = async (): Promise<true | undefined> => {
      const listed = await api.call<unknown[]>('listSandboxes', { as })
      return listed.status === 200 && listed.body.length === before ? true : undefined
    }
    // Well before any lease runs out.
    await pollUntil('the row is gone', clean, { timeoutMs: 10_000 })
    assert.equal(agent.sandboxes.size, before)
    await api.expect(201, 'createSandbox', { ...call, signal: AbortSignal.timeout(5_000) })
  })
})
