// A control plane is killed in the middle of a create, and started again on its address: what it had in hand is settled
// within the five seconds that rows and reality have to agree, and what others have in hand is not touched. The platform's
// own control plane reconciles nothing here, so that the one that is started again has to.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { pollUntil } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import { Api, type Account, type ApiAnswer, type ApiCall } from '../../../../test/support/api.ts'
import {
  startControlPlaneProcess,
  type ControlPlaneProcess,
} from '../../../../test/support/control-plane-process.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { untilAborted } from '../../../../test/support/fake-agent.ts'
import { query } from '../../../../test/support/postgres.ts'

type Sandbox = PublicSchemas['Sandbox']
type Template = PublicSchemas['Template']
type Operation = 'createSandbox' | 'createSnapshot'

const settled = { timeoutMs: 5_000 }
const begins = { timeoutMs: 10_000 }

describe('the leases of a control plane that is killed and started again', () => {
  let platform: Platform
  let folder: string
  let as: Account
  const running: ControlPlaneProcess[] = []
  /** What the agent holds back goes on when this is aborted. */
  let release: AbortController

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wrenn-leases-'))
    platform = await createPlatform({ reconcileIntervalMs: 600_000 })
  })

  beforeEach(async () => {
    as = await platform.api.account()
    release = new AbortController()
  })

  afterEach(async () => {
    release.abort()
    platform.agent.heal()
    await Promise.all(running.splice(0).map((one) => one.kill()))
  })

  after(async () => {
    await platform.remove()
    await rm(folder, { recursive: true })
  })

  async function start(listen = '127.0.0.1:0'): Promise<ControlPlaneProcess> {
    const controlPlane = await startControlPlaneProcess({
      DATABASE_URL: platform.databaseUrl,
      WRENN_DIR: folder,
      WRENN_AGENT_SOCKET: platform.agent.socketPath,
      JWT_SECRET: 'a secret for tests, long enough for HS256',
      CP_LISTEN_ADDR: listen,
    })
    running.push(controlPlane)
    return controlPlane
  }

  const startAgain = ({ url }: ControlPlaneProcess): Promise<ControlPlaneProcess> => start(new URL(url).host)

  /** Returns when the agent has the call, which it holds back. */
  async function inHand<Body>(
    { url }: ControlPlaneProcess,
    operation: Operation,
    { when = 'before', ...call }: ApiCall & { when?: 'before' | 'during' },
  ): Promise<{ answer: Promise<ApiAnswer<Body>> }> {
    const begun = new Promise<void>((resolve) => {
      platform.agent.on(operation, { [when]: () => (resolve(), untilAborted(release.signal)) })
    })
    const answer = new Api(url).call<Body>(operation, call)
    // Each test awaits it, too.
    answer.catch(() => undefined)
    await begun
    return { answer }
  }

  const pending = (): Promise<{ id: string; isLeased: boolean }[]> =>
    query(
      platform.databaseUrl,
      `select id, lease_expires_at > now() as "isLeased" from sandboxes where status = 'pending' order by created_at`,
    )

  it('end: its create is gone, from the rows and from the agent', async () => {
    const killed = await start()
    const { answer } = await inHand(killed, 'createSandbox', { as, body: {} })
    await killed.kill()
    await assert.rejects(answer)
    const { api, agent } = platform
    assert.equal((await api.list(as)).length, 1)
    await startAgain(killed)
    const gone = async (): Promise<true | undefined> => ((await api.list(as)).length === 0 ? true : undefined)
    await pollUntil('its row is gone', gone, settled)
    release.abort()
    await pollUntil('the agent made it', () => agent.sandboxes.size > 0 || undefined, begins)
    await pollUntil('that is gone', () => agent.sandboxes.size === 0 || undefined, settled)
  })

  it('end: its snapshot is finished as soon as the agent has made it', async () => {
    const { api } = platform
    const killed = await start()
    const { id } = await api.create(as)
    const body = { sandbox_id: id, name: 'made' }
    const { answer } = await inHand(killed, 'createSnapshot', { as, body, when: 'during' })
    await killed.kill()
    await assert.rejects(answer)
    await startAgain(killed)
    release.abort()
    const found = async (): Promise<true | undefined> => {
      const list = await api.expect<Template[]>(200, 'listSnapshots', { as, query: 'type=snapshot' })
      return list.some(({ name }) => name === 'made') || undefined
    }
    await pollUntil('it is there', found, settled)
    assert.equal((await api.get(as, id)).status, 'stopped')
    await api.expect(204, 'deleteSnapshot', { as, params: { name: 'made' } })
  })

  it('end: a retry with its Idempotency-Key gets an answer, and one sandbox is left', async () => {
    const { api, agent } = platform
    const killed = await start()
    const call = { as, body: {}, headers: { 'idempotency-key': 'a' } }
    const { answer } = await inHand(killed, 'createSandbox', call)
    await killed.kill()
    await assert.rejects(answer)
    agent.heal()
    const again = new Api((await startAgain(killed)).url)
    const signal = AbortSignal.timeout(settled.timeoutMs)
    const { id } = await again.expect<Sandbox>(201, 'createSandbox', { ...call, signal })
    release.abort()
    const left = async (): Promise<true | undefined> => {
      const all = [...(await api.list(as)).map((one) => one.id), ...agent.sandboxes.keys()]
      return all.join() === [id, id].join() ? true : undefined
    }
    await pollUntil('its own sandbox is left', left, settled)
    await again.expect(204, 'destroySandbox', { as, params: { id } })
  })

  it('end, and no others: of a control plane on another address, or on another machine', async () => {
    const [killed, other] = [await start(), await start()]
    const far = await inHand(killed, 'createSandbox', { as, body: {} })
    const [farRow] = await pending()
    assert.ok(farRow)
    await query(
      platform.databaseUrl,
      `update sandboxes set lease_holder = 'another-boot' || substr(lease_holder, strpos(lease_holder, ' '))`,
    )
    const others = await inHand<Sandbox>(other, 'createSandbox', { as, body: {} })
    const kept = await pending()
    assert.equal(kept.length, 2)
    const own = await inHand(killed, 'createSandbox', { as, body: {} })
    await killed.kill()
    await Promise.all([assert.rejects(far.answer), assert.rejects(own.answer)])
    await startAgain(killed)
    const two = async (): Promise<true | undefined> => ((await pending()).length === 2 ? true : undefined)
    await pollUntil('its own row is gone', two, settled)
    assert.deepEqual(await pending(), kept)
    release.abort()
    const { status, body } = await others.answer
    assert.equal(status, 201)
    assert.equal((await platform.api.get(as, body.id)).status, 'running')
    assert.deepEqual(await pending(), [{ id: farRow.id, isLeased: true }])
  })
})
