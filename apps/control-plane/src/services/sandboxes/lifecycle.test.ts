import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { AppError, pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Account } from '../../../../../test/support/api.ts'
import { untilAborted } from '../../../../../test/support/fake-agent.ts'
import { createPlatform, type Platform } from '../../../../../test/support/control-plane.ts'

type Exec = PublicSchemas['ExecResponse']

describe('a running sandbox', () => {
  let platform: Platform
  let as: Account

  before(async () => {
    platform = await createPlatform()
    as = await platform.api.account()
  })

  after(() => platform.remove())

  it('runs commands', async () => {
    const { api } = platform
    const { id } = await api.create(as)
    const exec = (body: object) => api.expect<Exec>(200, 'execCommand', { as, params: { id }, body })
    const { duration_ms: _duration, ...result } = await exec({ cmd: 'echo', args: ['a', 'b'] })
    assert.deepEqual(result, {
      sandbox_id: id,
      cmd: 'echo',
      stdout: 'a b\n',
      stderr: '',
      exit_code: 0,
      encoding: 'utf-8',
    })
    assert.equal((await exec({ cmd: 'cat', stdin: 'in\u0000put' })).stdout, 'in\u0000put')
    assert.equal((await exec({ cmd: 'nonsense' })).exit_code, 127)
  })

  it('is active with every command and ping', async () => {
    const { api } = platform
    const { id, last_active_at: created } = await api.create(as)
    const activity = (since: string | null) => async (): Promise<string | undefined> => {
      const { last_active_at: at } = await api.get(as, id)
      return at !== null && at > (since ?? '') ? at : undefined
    }
    await api.expect(200, 'execCommand', { as, params: { id }, body: { cmd: 'echo' } })
    const afterExec = await pollUntil('the command counts', activity(created), { timeoutMs: 5_000 })
    await api.expect(204, 'pingSandbox', { as, params: { id } })
    assert.ok(await activity(afterExec)())
  })

  it('takes a ping with an empty body of any type', async () => {
    const { api } = platform
    const { id } = await api.create(as)
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      await api.expect(204, 'pingSandbox', { as, params: { id }, headers: { 'content-type': type } })
    }
  })

  it('is destroyed once and for all', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    const call = { as, params: { id } }
    await api.expect(204, 'destroySandbox', call)
    assert.ok(!agent.sandboxes.has(id))
    await api.expect(204, 'destroySandbox', call)
    assert.ok(!(await api.list(as)).some((sandbox) => sandbox.id === id))
    const gone = await api.get(as, id)
    assert.equal(gone.status, 'stopped')
    assert.equal(gone.guest_ip, undefined)
    assert.match(
      await api.refused('invalid_state', 'execCommand', { ...call, body: { cmd: 'echo' } }),
      /is stopped/,
    )
    assert.match(await api.refused('invalid_state', 'pingSandbox', call), /is stopped/)
  })

  it('that is destroyed during a command gives 404 to it', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    const earlier = agent.count('exec')
    const running = api.refused('not_found', 'execCommand', {
      as,
      params: { id },
      body: { cmd: 'sleep', args: ['60'] },
    })
    await pollUntil('the command runs', () => agent.count('exec') > earlier || undefined, {
      timeoutMs: 5_000,
    })
    await api.expect(204, 'destroySandbox', { as, params: { id } })
    assert.match(await running, /was destroyed/)
  })

  it('whose agent fails gives agent_error, and the next command works', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    const call = { as, params: { id }, body: { cmd: 'echo' } }
    agent.on('exec', {
      before: () => Promise.reject(new AppError('agent_error', 'The guest does not answer')),
    })
    assert.equal(await api.refused('agent_error', 'execCommand', call), 'The guest does not answer')
    agent.on('exec', {
      before: async (signal) => {
        agent.breakConnections()
        await untilAborted(signal)
      },
    })
    await api.refused('agent_error', 'execCommand', call)
    agent.heal()
    await api.expect(200, 'execCommand', call)
  })

  it('is destroyed by the reconciler when the agent did not answer the delete', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    await agent.stop()
    await api.refused('unavailable', 'destroySandbox', { as, params: { id } })
    assert.equal((await api.get(as, id)).status, 'stopped')
    assert.ok(agent.sandboxes.has(id))
    await agent.start()
    await pollUntil('it is destroyed', () => !agent.sandboxes.has(id) || undefined, { timeoutMs: 10_000 })
    await api.expect(204, 'destroySandbox', { as, params: { id } })
  })

  it('the agent learns when the client of a command goes away', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    const client = new AbortController()
    let noticed = false
    agent.on('exec', {
      before: async (signal) => {
        client.abort()
        await untilAborted(signal)
        noticed = true
      },
    })
    const call = { as, params: { id }, body: { cmd: 'echo' }, signal: client.signal }
    await assert.rejects(api.call('execCommand', call), { name: 'AbortError' })
    await pollUntil('the agent notices', () => noticed || undefined, { timeoutMs: 5_000 })
    agent.heal()
  })
})
