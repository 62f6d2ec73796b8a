// What an OpenID Connect provider vouches for counts only when it is meant for this login of this application.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import type { PublicSchemas } from '@wrenn/contract'
import { createLoginRig, type LoginRig } from '../support/oauth/login-rig.ts'
import { startOidc, type Oidc } from '../support/oauth/oidc.ts'

describe('an id_token', () => {
  let rig: LoginRig<Oidc> & { remove(): Promise<void> }

  before(async () => {
    rig = await createLoginRig(startOidc)
  })

  afterEach(() => rig.provider.claim({}))

  after(() => rig.remove())

  const claims: Record<string, Record<string, unknown>> = {
    'of another login': { nonce: 'another' },
    'without a nonce': { nonce: undefined },
    'for another application': { aud: 'another' },
    'of another issuer': { iss: 'https://evil.example.com' },
    'that has expired': { exp: 1 },
    'without an e-mail': { email: undefined },
    'with an unverified e-mail': { email_verified: false },
    'with a verification that is no boolean': { email_verified: 'true' },
    'without a subject': { sub: undefined },
  }
  for (const [name, changes] of Object.entries(claims)) {
    it(`${name} is exchange_failed`, async () => {
      const person = rig.provider.person()
      rig.provider.claim(changes)
      assert.equal((await rig.logIn(person)).error, 'exchange_failed')
      rig.provider.claim({})
      assert.equal((await rig.logIn(person)).error, null)
    })
  }

  it('from a provider whose discovery is away cannot be asked for: 503, without a cookie', async () => {
    // One that has not asked yet.
    const api = await rig.another()
    const params = { provider: rig.provider.name }
    await rig.provider.remove()
    const { status, headers, body } = await api.call<PublicSchemas['Error']>('oauthRedirect', { params })
    await rig.provider.comeBack()
    assert.deepEqual([status, body.error.code], [503, 'unavailable'])
    assert.equal(headers.get('set-cookie'), null)
    assert.equal((await rig.logIn(rig.provider.person(), rig.browser(api))).error, null)
  })
})
