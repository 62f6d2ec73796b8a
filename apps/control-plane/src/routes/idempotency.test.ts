// Idempotency-Key, with two control planes on one database and one agent.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { AppError, pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import { Api, type Account } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'

type Sandbox = PublicSchemas['Sandbox']

describe('an Idempotency-Key', () => {
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

  afterEach(() => platform.agent.heal())

  after(() => platform.remove())

  const keyed = (key: string, body: object = {}, who = as) => ({
    as: who,
    body,
    headers: { 'idempotency-key': key },
  })
  const create = (api: Api, key: string, body?: object): Promise<Sandbox> =>
    api.expect(201, 'createSandbox', keyed(key, body))

  /** Holds creates at the agent until `release`; `begun` settles when one is there. */
  function held(): { begun: Promise<void>; release: () => void } {
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const begun = new Promise<void>((resolve) => {
      platform.agent.on('createSandbox', { before: () => (resolve(), released) })
    })
    return { begun, release }
  }

  it('makes twenty creates at once one, with one answer, on both control planes', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => create(n % 2 === 0 ? platform.api : other, 'a', { vcpus: 2 })),
    )
    for (const answer of answers) assert.deepEqual(answer, answers[0])
    assert.equal((await platform.api.list(as)).length, 1)
  })

  it('gives the first answer also when the sandbox is gone', async () => {
    const first = await create(platform.api, 'a')
    await platform.api.expect(204, 'destroySandbox', { as, params: { id: first.id } })
    assert.deepEqual(await create(other, 'a'), first)
    assert.deepEqual(await platform.api.list(as), [])
  })

  it('with another body is a conflict; another order of fields is the same body', async () => {
    const first = await create(platform.api, 'a', { vcpus: 2, memory_mb: 256 })
    assert.deepEqual(await create(other, 'a', { memory_mb: 256, vcpus: 2 }), first)
    for (const api of [platform.api, other])
      await api.refused('idempotency_conflict', 'createSandbox', keyed('a', { vcpus: 1 }))
  })

  it('is its team’s own', async () => {
    const stranger = await platform.api.account()
    const first = await create(platform.api, 'a')
    const second = await platform.api.expect<Sandbox>(
      201,
      'createSandbox',
      keyed('a', { vcpus: 2 }, stranger),
    )
    assert.notEqual(second.id, first.id)
  })

  it('keeps no failure', async () => {
    const before = async (): Promise<never> => {
      throw new AppError('agent_error', 'injected')
    }
    platform.agent.on('createSandbox', { before })
    await platform.api.refused('agent_error', 'createSandbox', keyed('a'))
    platform.agent.heal()
    await platform.api.refused('not_found', 'createSandbox', keyed('b', { template: 'none' }))
    await create(other, 'a')
    await create(other, 'b', { vcpus: 2 })
  })

  it('makes the second wait while the first runs, and take over when that fails', async () => {
    const { begun, release } = held()
    const abort = new AbortController()
    const first = platform.api.call('createSandbox', { ...keyed('a'), signal: abort.signal })
    await begun
    let answered = false
    const second = create(other, 'a').finally(() => (answered = true))
    await assert.rejects(pollUntil('the second is answered', () => answered || undefined, { timeoutMs: 300 }))
    abort.abort()
    await assert.rejects(first)
    release()
    assert.deepEqual(
      (await platform.api.list(as)).map(({ id }) => id),
      [(await second).id],
    )
  })

  it('is taken over when its control plane is gone; the lost create leaves nothing', async () => {
    const { begun, release } = held()
    const first = platform.api.call('createSandbox', keyed('a'))
    await begun
    // As if the first control plane had died: nobody renews.
    await query(platform.databaseUrl, `update idempotency_keys set lease_expires_at = '-infinity'`)
    platform.agent.heal()
    const second = await create(other, 'a')
    release()
    assert.equal((await first).status, 503)
    assert.deepEqual(await create(platform.api, 'a'), second)
    const left = async (): Promise<true | undefined> =>
      (await platform.api.list(as)).length === 1 ? true : undefined
    await pollUntil('one sandbox is left', left, { timeoutMs: 5_000 })
    await platform.api.expect(204, 'destroySandbox', { as, params: { id: second.id } })
  })

  it('is taken over when its control plane is killed in the middle of the create', async () => {
    const { begun, release } = held()
    const { child, api, exit } = await startProcess({
      DATABASE_URL: platform.databaseUrl,
      WRENN_AGENT_SOCKET: platform.agent.socketPath,
    })
    const first = api.call('createSandbox', keyed('a'))
    await begun
    child.kill('SIGKILL')
    await Promise.all([exit, assert.rejects(first)])
    platform.agent.heal()
    const second = await create(other, 'a')
    assert.deepEqual(await create(platform.api, 'a'), second)
    release()
    const left = async (): Promise<true | undefined> => {
      const sandboxes = await platform.api.list(as)
      return sandboxes.length === 1 && sandboxes[0]?.id === second.id ? true : undefined
    }
    await pollUntil('its own sandbox is left', left, { timeoutMs: 10_000 })
    const known = async (): Promise<true | undefined> => {
      const rows = await query<{ id: string }>(
        platform.databaseUrl,
        `select id from sandboxes where status = 'running'`,
      )
      const ids = rows.map(({ id }) => id).toSorted()
      return [...platform.agent.sandboxes.keys()].toSorted().join() === ids.join() ? true : undefined
    }
    await pollUntil('the agent has no sandbox without a row', known, { timeoutMs: 10_000 })
    await platform.api.expect(204, 'destroySandbox', { as, params: { id: second.id } })
  })

  it('is free again after 24 hours', async () => {
    const first = await create(platform.api, 'a')
    await query(
      platform.databaseUrl,
      `update idempotency_keys set created_at = now() - interval '24 hours 1 second'`,
    )
    const second = await create(other, 'a', { vcpus: 2 })
    assert.notEqual(second.id, first.id)
  })

  it('must have 1 to 255 characters', async () => {
    for (const key of ['', 'x'.repeat(256)])
      assert.match(
        await platform.api.refused('invalid_request', 'createSandbox', keyed(key)),
        /^Idempotency-Key: must/,
      )
    await create(platform.api, 'x'.repeat(255))
  })
})

/** A control plane as a process of its own, with the platform's database and agent. */
async function startProcess(
  environment: Record<string, string>,
): Promise<{ child: ChildProcess; api: Api; exit: Promise<unknown> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'main.ts')], {
    env: {
      PATH: process.env['PATH'],
      JWT_SECRET: 'another secret: only API keys are used with it',
      CP_LISTEN_ADDR: '127.0.0.1:0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) {
    const { op, url } = JSON.parse(line) as { op: string; url?: string }
    if (op === 'listen' && url !== undefined) return { child, api: new Api(url), exit }
  }
  throw new Error('the control plane ended before it listened')
}
