import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { PublicSchemas } from '@wrenn/contract'
import { newId, pollUntil } from '@wrenn/base'
import { SignJWT, UnsecuredJWT } from 'jose'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'

const jwtSecret = 'a secret of the accounts’ tests, with more than the 64 characters that HS512 asks for'

type ApiKey = PublicSchemas['APIKeyResponse']

describe('accounts and API keys', () => {
  let platform: Platform

  before(async () => {
    platform = await createPlatform({ jwtSecret })
  })

  after(() => platform.remove())

  it('signs up, logs in, and both tokens work', async () => {
    const { api } = platform
    const credentials = { email: ' New.User@Example.COM ', password: 'correct horse' }
    const session = await api.expect<PublicSchemas['AuthResponse']>(201, 'signup', { body: credentials })
    assert.match(session.user_id, /^usr-[a-z2-7]{20}$/)
    assert.match(session.team_id, /^team-[a-z2-7]{20}$/)
    assert.equal(session.email, 'new.user@example.com')
    const body = { email: 'new.user@EXAMPLE.com', password: 'correct horse' }
    const again = await api.expect<PublicSchemas['AuthResponse']>(200, 'login', { body })
    assert.deepEqual({ ...again, token: '' }, { ...session, token: '' })
    for (const { token } of [session, again]) await api.expect(200, 'listAPIKeys', { as: { token } })
    const rows = await query(
      platform.databaseUrl,
      `select t.name, m.role from teams t join team_members m on m.team_id = t.id where t.id = '${session.team_id}'`,
    )
    assert.deepEqual(rows, [{ name: "new.user@example.com's Team", role: 'owner' }])
  })

  it('gives one message for an unknown e-mail and a wrong password', async () => {
    const { api } = platform
    const { email } = await api.account()
    const wrong = await api.refused('unauthorized', 'login', { body: { email, password: 'wrong horse' } })
    const body = { email: 'nobody@example.com', password: 'wrong horse' }
    assert.equal(await api.refused('unauthorized', 'login', { body }), wrong)
  })

  it('takes as long to refuse an unknown e-mail, and a user without a password, as a wrong password', async () => {
    const { api } = platform
    const { email } = await api.account()
    const withoutPassword = await api.account()
    await query(
      platform.databaseUrl,
      `update users set password_hash = null where id = '${withoutPassword.userId}'`,
    )
    const emails = [email, withoutPassword.email, 'nobody@example.com']
    // Of CPU, which the control plane uses in this process: time on a busy machine says little. The least of some
    // attempts, taken in turns: what else goes on here only ever adds some.
    const leastMs = emails.map(() => Infinity)
    for (let attempt = 0; attempt < 8; attempt += 1) {
      for (const [at, email] of emails.entries()) {
        const before = process.cpuUsage()
        await api.refused('unauthorized', 'login', { body: { email, password: 'wrong horse' } })
        const { user, system } = process.cpuUsage(before)
        leastMs[at] = Math.min(leastMs[at] ?? 0, (user + system) / 1_000)
      }
    }
    const said = emails.map((email, at) => `${email}: ${leastMs[at]} ms`).join(', ')
    assert.ok(Math.min(...leastMs) > Math.max(...leastMs) / 2, said)
  })

  it('gives a user without a password the same message, whatever the password', async () => {
    const { api } = platform
    const { email, userId } = await api.account()
    const wrong = await api.refused('unauthorized', 'login', { body: { email, password: 'wrong horse' } })
    await query(platform.databaseUrl, `update users set password_hash = null where id = '${userId}'`)
    for (const password of ['correct horse', '', 'null'])
      assert.equal(await api.refused('unauthorized', 'login', { body: { email, password } }), wrong)
  })

  it('gives one of twenty signups at once the e-mail, and the others email_taken', async () => {
    const { api } = platform
    const body = { email: 'race@example.com', password: 'correct horse' }
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await api.call('signup', { body })).status),
    )
    assert.deepEqual(
      statuses.toSorted((a, b) => a - b),
      [201, ...Array.from({ length: 19 }, () => 409)],
    )
    assert.equal(
      await api.refused('email_taken', 'signup', { body }),
      'There is an account with this e-mail already',
    )
    const teams = await query(platform.databaseUrl, `select 1 from teams where name like 'race@%'`)
    assert.equal(teams.length, 1)
  })

  it('counts the bytes of a password', async () => {
    const { api } = platform
    const sign = (email: string, password: string) => api.call('signup', { body: { email, password } })
    assert.equal((await sign('long@example.com', 'ü'.repeat(512))).status, 201)
    assert.equal((await sign('longer@example.com', 'ü'.repeat(513))).status, 400)
    const body = { email: 'long@example.com', password: 'ü'.repeat(513) }
    await api.refused('unauthorized', 'login', { body })
  })

  it('shows a key once, and lists keys newest first without it', async () => {
    const { api } = platform
    const as = await api.account()
    const created = await api.expect<ApiKey>(201, 'createAPIKey', {
      as: { token: as.token },
      body: { name: 'ci' },
    })
    assert.match(created.id, /^key-[a-z2-7]{20}$/)
    assert.match(created.key ?? '', /^wrn_[0-9a-f]{40}$/)
    assert.equal(created.key_prefix, `${created.key?.slice(0, 12)}...`)
    assert.equal(created.last_used, null)
    const keys = await api.expect<ApiKey[]>(200, 'listAPIKeys', { as: { token: as.token } })
    assert.deepEqual(
      keys.map(({ name }) => name),
      ['ci', 'Unnamed API Key'],
    )
    assert.ok(keys.every(({ key }) => key === undefined))
    const stored = await query<{ text: string }>(
      platform.databaseUrl,
      'select k::text as text from api_keys k',
    )
    assert.ok(!JSON.stringify(stored).includes(created.key?.slice(4) ?? ''))
  })

  it('notes when a key was used, at most once a minute', async () => {
    const { api } = platform
    const { apiKey, token } = await api.account()
    const lastUsed = async (): Promise<string | undefined> => {
      const [key] = await api.expect<ApiKey[]>(200, 'listAPIKeys', { as: { token } })
      return key?.last_used ?? undefined
    }
    await api.list({ apiKey })
    const first = await pollUntil('last_used is set', lastUsed, { timeoutMs: 5_000 })
    // Written when a control plane has ended; within the minute it changes nothing.
    const other = await platform.another()
    await other.api.list({ apiKey })
    await other.close()
    assert.equal(await lastUsed(), first)
    const { databaseUrl } = platform
    await query(
      databaseUrl,
      `update api_keys set last_used = now() - interval '2 minutes' where last_used is not null`,
    )
    await api.list({ apiKey })
    const isLater = async (): Promise<true | undefined> =>
      ((await lastUsed()) ?? '') > first ? true : undefined
    await pollUntil('last_used is set again', isLater, { timeoutMs: 5_000 })
  })

  it('stops a deleted key at once, also on another control plane', async () => {
    const { api } = platform
    const { apiKey, token } = await api.account()
    const other = await platform.another()
    await other.api.list({ apiKey })
    const [key] = await api.expect<ApiKey[]>(200, 'listAPIKeys', { as: { token } })
    const params = { id: key?.id ?? '' }
    await api.expect(204, 'deleteAPIKey', { as: { token }, params })
    for (const each of [api, other.api])
      await each.refused('unauthorized', 'listSandboxes', { as: { apiKey } })
    await api.expect(204, 'deleteAPIKey', { as: { token }, params })
    await api.expect(204, 'deleteAPIKey', { as: { token }, params: { id: '\u0000nonsense' } })
  })

  it('refuses forged and expired tokens on every control plane, whoever they name', async () => {
    const { api } = platform
    const { userId, teamId, email } = await api.account()
    const now = Math.floor(Date.now() / 1_000)
    const claims = {
      sub: userId,
      team_id: teamId,
      email,
      iss: 'wrenn',
      aud: 'wrenn-api',
      iat: now,
      exp: now + 60,
    }
    const sign = (more: object, header = 'HS256', secret = jwtSecret): Promise<string> =>
      new SignJWT({ ...claims, ...more })
        .setProtectedHeader({ alg: header })
        .sign(new TextEncoder().encode(secret))
    await api.list({ token: await sign({}) })
    const wrong = {
      'alg none': new UnsecuredJWT(claims).encode(),
      'another secret': await sign({}, 'HS256', 'x'.repeat(64)),
      'another algorithm': await sign({}, 'HS512', jwtSecret),
      expired: await sign({ iat: now - 100, exp: now - 1 }),
      'another issuer': await sign({ iss: 'other' }),
      'another audience': await sign({ aud: 'other' }),
      "another's team": await sign({ team_id: (await api.account()).teamId }),
      'nobody’s': await sign({ sub: newId('usr') }),
    }
    const other = await platform.another()
    for (const [name, token] of Object.entries(wrong))
      for (const each of [api, other.api])
        for (const id of ['listSandboxes', 'listAPIKeys'] as const)
          assert.ok(await each.refused('unauthorized', id, { as: { token } }), name)
  })

  it("leaves another team's key alone and still answers 204", async () => {
    const { api } = platform
    const [ours, theirs] = [await api.account(), await api.account()]
    const [key] = await api.expect<ApiKey[]>(200, 'listAPIKeys', { as: { token: theirs.token } })
    await api.expect(204, 'deleteAPIKey', { as: { token: ours.token }, params: { id: key?.id ?? '' } })
    await api.list({ apiKey: theirs.apiKey })
  })

  it('refuses the token of an account that is gone', async () => {
    const { api } = platform
    const { token, teamId } = await api.account()
    await query(platform.databaseUrl, `delete from teams where id = '${teamId}'`)
    await api.refused('unauthorized', 'createAPIKey', { as: { token }, body: {} })
    await api.refused('unauthorized', 'createSandbox', { as: { token }, body: {} })
  })
})
