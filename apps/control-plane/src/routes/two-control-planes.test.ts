// Two control planes on one database and one agent behave as one. Limits, keys and retries that they share are tested
// where those are.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import type { Account, Api } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'

describe('two control planes', () => {
  let platform: Platform
  let apis: [Api, Api]
  let as: Account

  before(async () => {
    platform = await createPlatform()
    apis = [platform.api, (await platform.another()).api]
    as = await platform.api.account()
  })

  after(() => platform?.remove())

  it('see at once what the other one made, used and destroyed', async () => {
    const [one, two] = apis
    const sandbox = await one.create(as)
    assert.deepEqual(await two.get(as, sandbox.id), sandbox)
    assert.deepEqual(await two.list(as), [sandbox])
    const params = { id: sandbox.id }
    await two.expect(200, 'execCommand', { as, params, body: { cmd: 'echo' } })
    await two.expect(204, 'destroySandbox', { as, params })
    assert.equal((await one.get(as, sandbox.id)).status, 'stopped')
    await one.refused('invalid_state', 'execCommand', { as, params, body: { cmd: 'echo' } })
    await one.expect(204, 'destroySandbox', { as, params })
  })

  it('reconcile side by side and touch nothing that is in order, nor a create that the other has in hand', async () => {
    const { agent } = platform
    const destroyed = agent.count('destroySandbox')
    const looked = agent.count('listSandboxes')
    // Slower than many rounds of both reconcilers.
    const enough = (): true | undefined => (agent.count('listSandboxes') > looked + 10 ? true : undefined)
    agent.on('createSandbox', {
      after: async () => {
        await pollUntil('both have looked', enough, { timeoutMs: 10_000 })
      },
    })
    const made = await Promise.all(Array.from({ length: 10 }, (_, n) => apis[n % 2 === 0 ? 0 : 1].create(as)))
    agent.heal()
    const ids = made.map(({ id }) => id).toSorted()
    for (const api of apis)
      assert.deepEqual(
        (await api.list(as)).map(({ id, status }) => `${id} ${status}`).toSorted(),
        ids.map((id) => `${id} running`),
      )
    assert.deepEqual([...agent.sandboxes.keys()].toSorted(), ids)
    assert.equal(agent.count('destroySandbox'), destroyed)
  })

  it('destroyed on both at once, a sandbox is gone and both say so', async () => {
    const { id } = await platform.api.create(as)
    await Promise.all(apis.map((api) => api.expect(204, 'destroySandbox', { as, params: { id } })))
    assert.equal(platform.agent.sandboxes.has(id), false)
  })
})
