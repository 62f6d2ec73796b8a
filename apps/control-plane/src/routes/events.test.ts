// Streams of a team's changes, on the real database with a fake agent: what is told, to whom, and that nothing is missed
// whatever breaks.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { AppError, createLogger, pollUntil } from '@wrenn/base'
import { Wrenn } from '@wrenn/sdk'
import { SignJWT } from 'jose'
import type { Account } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { holdTransaction } from '../../../../test/support/held-transaction.ts'
import { query } from '../../../../test/support/postgres.ts'
import { TeamView } from '../../../../test/support/team-view.ts'
import { setUserDisabled } from '../services/users.ts'
import { openDatabase } from '../store/database.ts'

const listener = `application_name = 'wrenn-control-plane-changes'`

describe('a stream of events', () => {
  let platform: Platform
  const views: TeamView[] = []

  before(async () => {
    platform = await createPlatform()
  })

  afterEach(async () => {
    platform.agent.heal()
    await Promise.all(views.splice(0).map((view) => view.close()))
  })

  after(() => platform?.remove())

  const wrennOf = ({ apiKey }: { apiKey: string }, baseUrl = platform.api.url): Wrenn =>
    new Wrenn({ baseUrl, apiKey })

  async function follow(wrenn: Wrenn): Promise<TeamView> {
    const view = await TeamView.follow(wrenn)
    views.push(view)
    return view
  }

  const sessions = (): Promise<{ pid: number }[]> =>
    query<{ pid: number }>(platform.databaseUrl, `select pid from pg_stat_activity where ${listener}`)

  async function nobodyListens(): Promise<void> {
    await pollUntil('nobody listens', async () => (await sessions()).length === 0 || undefined, {
      timeoutMs: 20_000,
    })
  }

  async function killListeners(): Promise<void> {
    await query(
      platform.databaseUrl,
      `select pg_terminate_backend(pid) from pg_stat_activity where ${listener}`,
    )
  }

  it('tells each change of a sandbox as it is then, whichever control plane makes it', async () => {
    const as = await platform.api.account()
    const other = await platform.another()
    const [view, there] = [await follow(wrennOf(as)), await follow(wrennOf(as, other.url))]
    const { id } = await platform.api.create(as, { metadata: { name: 'one' } })
    await view.until('it runs', () => view.sandboxes.get(id)?.status === 'running')
    await other.api.expect(200, 'pauseSandbox', { as, params: { id } })
    await view.until('it is paused', () => view.sandboxes.get(id)?.status === 'paused')
    await platform.api.expect(200, 'resumeSandbox', { as, params: { id } })
    platform.agent.machine.fail(id, 'its VM ended by itself')
    await view.until('it has failed', () => view.sandboxes.get(id)?.status === 'error')
    for (const each of [view, there]) await each.untilRight()
    await other.api.expect(204, 'destroySandbox', { as, params: { id } })
    for (const each of [view, there]) {
      await each.until('it is gone', () => !each.sandboxes.has(id))
      assert.equal(each.statuses(id).at(-1), 'stopped')
      assert.equal(each.readies, 1)
    }
  })

  it('tells of templates: new, replaced, deleted', async () => {
    const as = await platform.api.account()
    const view = await follow(wrennOf(as))
    const snapshot = async (overwrite: boolean): Promise<string | undefined> => {
      const { id } = await platform.api.create(as)
      const body = { sandbox_id: id, name: 'mine' }
      const query = overwrite ? { query: 'overwrite=true' } : {}
      await platform.api.expect(201, 'createSnapshot', { as, body, ...query })
      await view.untilRight()
      return view.templates.get('mine')?.created_at
    }
    const first = await snapshot(false)
    assert.notEqual(await snapshot(true), first)
    await platform.api.expect(204, 'deleteSnapshot', { as, params: { name: 'mine' } })
    await view.until('it is told', () => view.events.at(-1)?.type === 'template_deleted')
    await view.untilRight()
    const [base] = await query<{ name: string }>(
      platform.databaseUrl,
      `update base_templates set size_bytes = 77 returning name`,
    )
    await view.until('a base template is told', () => view.templates.get(base?.name ?? '')?.size_bytes === 77)
  })

  it('tells nothing of other teams, and to all of its own', async () => {
    const [as, stranger] = [await platform.api.account(), await platform.api.account()]
    const ours = await Promise.all([follow(wrennOf(as)), follow(wrennOf(as))])
    const theirs = await follow(wrennOf(stranger))
    const { id } = await platform.api.create(as)
    await platform.api.create(stranger)
    for (const view of [...ours, theirs]) await view.untilRight()
    for (const view of ours) assert.ok(view.sandboxes.has(id))
    assert.deepEqual(theirs.statuses(id), [])
  })

  it('ends with `stopped` what came to nothing', async () => {
    const as = await platform.api.account()
    const view = await follow(wrennOf(as))
    let seen: string | undefined
    platform.agent.on('createSandbox', {
      before: async () => {
        await view.until('it is pending', () => view.sandboxes.size === 1)
        seen = [...view.sandboxes.keys()][0]
        throw new AppError('agent_error', 'injected')
      },
    })
    await platform.api.refused('agent_error', 'createSandbox', { as, body: {} })
    await view.until('it is gone', () => view.sandboxes.size === 0)
    assert.deepEqual(view.statuses(seen ?? ''), ['pending', 'stopped'])
  })

  it('tells activity alone, too, and its last', async () => {
    const as = await platform.api.account()
    const { id } = await platform.api.create(as)
    const view = await follow(wrennOf(as))
    for (let n = 0; n < 3; n += 1) {
      await platform.api.expect(204, 'pingSandbox', { as, params: { id } })
      await view.untilRight()
    }
    assert.ok(view.statuses(id).length <= 6, 'not each for itself')
  })

  it('is ready again when its connection to the database was lost, and nothing is missed', async () => {
    const as = await platform.api.account()
    const view = await follow(wrennOf(as))
    await killListeners()
    await platform.api.create(as)
    await view.until('it is ready again', () => view.readies === 2)
    await view.untilRight()
    assert.equal(view.disconnects, 0)
  })

  it('begins when every change from before is over that may not be told', async () => {
    const as = await platform.api.account()
    const { id } = await platform.api.create(as)
    const { databaseUrl } = platform
    const listeners = (): Promise<object[]> => query(databaseUrl, 'select from listeners')
    await nobodyListens()
    // Those that were killed.
    await query(databaseUrl, 'delete from listeners')
    const changing = `update sandboxes set status_reason = 'changed', last_updated = now() where id = '${id}'`
    const transaction = await holdTransaction(databaseUrl, changing)
    const following = follow(wrennOf(as))
    await pollUntil('it registers', async () => (await listeners()).length === 1 || undefined, {
      timeoutMs: 20_000,
    })
    const tooEarly = pollUntil('it is ready', () => views[0]?.readies || undefined, { timeoutMs: 500 })
    await assert.rejects(tooEarly, { name: 'DeadlineError' })
    await transaction.commit()
    const view = await following
    await view.untilRight()
    assert.equal(view.sandboxes.get(id)?.status_reason, 'changed')
  })

  it('shows what lists show after any changes, whatever breaks in between', async () => {
    const as = await platform.api.account()
    const other = await platform.another()
    const view = await follow(wrennOf(as, other.url))
    const anyOf = async (status: string): Promise<string | undefined> =>
      (await platform.api.list(as)).find((sandbox) => sandbox.status === status)?.id
    const on = async (status: string, operation: 'pauseSandbox' | 'resumeSandbox' | 'destroySandbox') => {
      const id = await anyOf(status)
      if (id !== undefined) await platform.api.call(operation, { as, params: { id } })
    }
    const steps: Record<string, () => Promise<unknown>> = {
      create: () => platform.api.create(as),
      pause: () => on('running', 'pauseSandbox'),
      resume: () => on('paused', 'resumeSandbox'),
      destroy: () => on('paused', 'destroySandbox'),
      fail: async () => {
        const id = await anyOf('running')
        if (id !== undefined) platform.agent.machine.fail(id, 'its VM ended by itself')
      },
      snapshot: async () => {
        const id = await anyOf('running')
        if (id === undefined) return
        const body = { sandbox_id: id, name: 'any' }
        await platform.api.call('createSnapshot', { as, body, query: 'overwrite=true' })
      },
      forget: () => platform.api.call('deleteSnapshot', { as, params: { name: 'any' } }),
      ping: async () => {
        const id = await anyOf('running')
        if (id !== undefined) await platform.api.call('pingSandbox', { as, params: { id } })
      },
      cut: killListeners,
    }
    const names = fc.array(fc.constantFrom(...Object.keys(steps)), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(names, fc.boolean(), async (sequence, atOnce) => {
        if (atOnce) await Promise.all(sequence.map(async (name) => steps[name]?.()))
        else for (const name of sequence) await steps[name]?.()
        await view.untilRight()
      }),
      { numRuns: 15 },
    )
  })

  it('ends within seconds when its key is deleted', async () => {
    const as = await platform.api.account()
    const view = await follow(wrennOf(as))
    const keys = await platform.api.expect<{ id: string }[]>(200, 'listAPIKeys', { as: { token: as.token } })
    await platform.api.expect(204, 'deleteAPIKey', {
      as: { token: as.token },
      params: { id: keys[0]?.id ?? '' },
    })
    assert.equal(((await view.ended) as { code?: string }).code, 'unauthorized')
  })

  it('ends within seconds when its user is disabled', async () => {
    const as = await platform.api.account()
    const view = await follow(new Wrenn({ baseUrl: platform.api.url, token: as.token }))
    const db = openDatabase(platform.databaseUrl, createLogger('test', 'silent'))
    await setUserDisabled(db, as.email, true)
    await db.destroy()
    assert.equal(((await view.ended) as { code?: string }).code, 'unauthorized')
  })

  it('ends within seconds when its token expires', async () => {
    const as = await platform.api.account()
    const view = await follow(new Wrenn({ baseUrl: platform.api.url, token: await shortToken(as) }))
    assert.equal(((await view.ended) as { code?: string }).code, 'unauthorized')
  })

  it('costs one connection for all, and none when nobody listens', async () => {
    await nobodyListens()
    const teams = await Promise.all(Array.from({ length: 10 }, () => platform.api.account()))
    const all = await Promise.all(
      Array.from({ length: 200 }, (_none, n) => follow(wrennOf(teams[n % 10] ?? { apiKey: '' }))),
    )
    assert.equal((await sessions()).length, 1)
    for (const team of teams) await platform.api.create(team)
    for (const view of all) await view.until('it is told', () => view.sandboxes.size === 1)
    await Promise.all(views.splice(0).map((view) => view.close()))
    await nobodyListens()
  })

  it('does not hold up the end of its control plane, and goes on at the next', async () => {
    const as = await platform.api.account()
    const first = await platform.another()
    const view = await follow(wrennOf(as, first.url))
    const startedAt = performance.now()
    await first.close()
    assert.ok(performance.now() - startedAt < 4_000)
    await platform.api.create(as)
    await view.until('it has noticed', () => view.disconnects > 0)
    const { hostname, port } = new URL(first.url)
    await platform.another({ listen: { host: hostname, port: Number(port) } })
    await view.until('it is ready again', () => view.readies === 2)
    await view.untilRight()
  })

  it('goes on when the database was restarted', async () => {
    const as = await platform.api.account()
    const view = await follow(wrennOf(as))
    await platform.postgres.stop()
    await platform.postgres.start()
    await view.until('it is ready again', () => view.readies === 2)
    await platform.api.create(as)
    await view.untilRight()
    assert.equal(view.disconnects, 0)
  })
})

/** As auth/tokens.ts makes them, but good for three seconds. */
async function shortToken({ userId, teamId, email }: Account): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ team_id: teamId, email })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(userId)
    .setIssuer('wrenn')
    .setAudience('wrenn-api')
    .setIssuedAt(now)
    .setExpirationTime(now + 3)
    .sign(new TextEncoder().encode('a secret for tests, long enough for HS256'))
}
