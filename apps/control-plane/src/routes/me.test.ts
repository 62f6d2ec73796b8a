// GET /v1/me and /v1/auth/providers: what they say to whom.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { PublicSchemas } from '@wrenn/contract'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'

type Me = PublicSchemas['Me']
type Providers = PublicSchemas['Providers']

describe('who one is, and how one signs in', () => {
  let platform: Platform

  before(async () => {
    platform = await createPlatform()
  })

  after(() => platform?.remove())

  it('a token and a key tell the team and its user', async () => {
    const as = await platform.api.account()
    const team = { id: as.teamId, name: `${as.email}'s Team` }
    const user = { id: as.userId, email: as.email }
    const me = (credentials: { token: string } | { apiKey: string }): Promise<Me> =>
      platform.api.expect(200, 'getMe', { as: credentials })
    assert.deepEqual(await me({ token: as.token }), { team, user, credential: 'token' })
    assert.deepEqual(await me({ apiKey: as.apiKey }), { team, user, credential: 'api_key' })
    await query(platform.databaseUrl, `delete from users where id = '${as.userId}'`)
    assert.deepEqual(await me({ apiKey: as.apiKey }), { team, user: null, credential: 'api_key' })
    await platform.api.refused('unauthorized', 'getMe', { as: { token: as.token } })
  })

  it('only what is configured is a way to sign in, and the policy is told without its domains', async () => {
    const providers = async (options: Parameters<Platform['another']>[0]): Promise<Providers> =>
      (await platform.another(options)).api.expect(200, 'listProviders')
    assert.deepEqual(await providers({}), { signups: 'open', oauth: [] })
    assert.deepEqual(await providers({ signups: 'closed' }), { signups: 'closed', oauth: [] })
    const configured = { github: { clientId: 'id', clientSecret: 'secret' } }
    const oauth = { configured, publicUrl: 'https://api.example.com' }
    assert.deepEqual(await providers({ signups: { domains: ['example.com'] }, oauth }), {
      signups: 'domains',
      oauth: [{ name: 'github', title: 'GitHub' }],
    })
  })
})
