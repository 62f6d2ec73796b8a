// A control plane is killed in the middle of a pause, a resume and a snapshot: another one finishes what the agent has
// begun, and a client that tries again with its Idempotency-Key gets its answer.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import { Api, type Account, type ApiCall } from '../../../../test/support/api.ts'
import {
  startControlPlaneProcess,
  type ControlPlaneProcess,
} from '../../../../test/support/control-plane-process.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'
import { untilAborted } from '../../../../test/support/fake-agent.ts'

type Template = PublicSchemas['Template']

const deadline = { timeoutMs: 10_000 }

describe('a control plane that is killed', () => {
  let platform: Platform
  let folder: string
  let as: Account
  let dying: ControlPlaneProcess | undefined

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wrenn-dying-'))
    platform = await createPlatform()
    as = await platform.api.account()
  })

  afterEach(async () => {
    platform.agent.heal()
    await dying?.kill()
    dying = undefined
  })

  after(async () => {
    await platform.remove()
    await rm(folder, { recursive: true })
  })

  type Operation = 'pauseSandbox' | 'resumeSandbox' | 'createSnapshot'
  type When = 'before' | 'during' | 'after'

  /** Kills the one that this call is sent to, once the agent is at `when`; the agent goes on after `until`. */
  async function killedAt(
    operation: Operation,
    when: When,
    call: ApiCall,
    until: () => Promise<unknown> = async () => undefined,
  ): Promise<void> {
    dying = await startControlPlaneProcess({
      DATABASE_URL: platform.databaseUrl,
      WRENN_DIR: folder,
      WRENN_AGENT_SOCKET: platform.agent.socketPath,
      JWT_SECRET: 'a secret for tests, long enough for HS256',
    })
    const release = new AbortController()
    const begun = new Promise<void>((resolve) => {
      platform.agent.on(operation, { [when]: () => (resolve(), untilAborted(release.signal)) })
    })
    const lost = assert.rejects(new Api(dying.url).call(operation, call))
    await begun
    await dying.kill()
    await lost
    await until()
    release.abort()
    platform.agent.heal()
  }

  for (const when of ['before', 'during', 'after'] as const) {
    for (const [change, from, to] of [
      ['pauseSandbox', 'running', 'paused'],
      ['resumeSandbox', 'paused', 'running'],
    ] as const) {
      it(`at the agent, ${when} it does a ${change}: it is done, and the row shows it`, async () => {
        const { api, agent } = platform
        const { id } = await api.create(as)
        const call = { as, params: { id } }
        if (from === 'paused') await api.expect(200, 'pauseSandbox', call)
        await killedAt(change, when, call)
        const shown = async (): Promise<true | undefined> => {
          const { status } = await api.get(as, id)
          return status === to && agent.sandboxes.get(id)?.status === to ? true : undefined
        }
        await pollUntil(`it is ${to}`, shown, deadline)
      })
    }

    it(`at the agent, ${when} it makes a snapshot: it is made, and the client’s retry gets it`, async () => {
      const { api, agent } = platform
      const { id } = await api.create(as)
      const body = { sandbox_id: id, name: `of-${when}` }
      const call = { as, body, headers: { 'idempotency-key': id } }
      await killedAt('createSnapshot', when, call)
      const retried = await api.expect<Template>(201, 'createSnapshot', call)
      assert.equal(retried.name, body.name)
      assert.deepEqual(await api.expect(201, 'createSnapshot', call), retried)
      assert.match((await api.get(as, id)).status_reason ?? '', /^It became the snapshot/)
      assert.ok(!agent.sandboxes.has(id))
      await api.create(as, { template: body.name })
      await api.expect(204, 'deleteSnapshot', { as, params: { name: body.name } })
    })
  }

  it('long before the agent makes the snapshot: it was given up, and the client’s retry gets it', async () => {
    const { api, agent, databaseUrl } = platform
    const { id } = await api.create(as)
    const call = { as, body: { sandbox_id: id, name: 'late' }, headers: { 'idempotency-key': id } }
    const isGivenUp = async (): Promise<true | undefined> => {
      const rows = await query<{ status: string }>(
        databaseUrl,
        `select status from snapshots where sandbox_id = '${id}'`,
      )
      return rows[0]?.status === 'abandoned' || undefined
    }
    await killedAt('createSnapshot', 'before', call, () => pollUntil('it is given up', isGivenUp, deadline))
    await pollUntil('it is made', () => !agent.sandboxes.has(id) || undefined, deadline)
    assert.equal((await api.expect<Template>(201, 'createSnapshot', call)).name, 'late')
    await api.create(as, { template: 'late' })
  })

  it('between the agent’s snapshot and its row: a reconciler finishes it', async () => {
    const { api, agent } = platform
    const { id } = await api.create(as)
    await killedAt('createSnapshot', 'after', { as, body: { sandbox_id: id, name: 'found' } })
    assert.ok(!agent.sandboxes.has(id))
    const found = async (): Promise<true | undefined> => {
      const list = await api.expect<Template[]>(200, 'listSnapshots', { as, query: 'type=snapshot' })
      return list.some(({ name }) => name === 'found') ? true : undefined
    }
    await pollUntil('it is there', found, deadline)
    assert.equal((await api.get(as, id)).status_reason, 'It became the snapshot found.')
    await api.create(as, { template: 'found' })
  })
})
