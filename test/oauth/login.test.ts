// Logins from the first redirect to the token, driven as a browser does, against each provider.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { apiOrigin, redirectUriOf, refusalOf } from '../support/oauth/identity-provider.ts'
import { assertContract, createLoginRigs, type LoginRig, type LoginRigs } from '../support/oauth/login-rig.ts'
import { identityProviders } from '../support/oauth/providers.ts'
import { query } from '../support/postgres.ts'

describe('a login', () => {
  let rigs: LoginRigs

  before(async () => {
    rigs = await createLoginRigs(identityProviders)
  })

  after(() => rigs.remove())

  for (const title of Object.keys(identityProviders)) describe(`through ${title}`, () => suite(title))

  function suite(title: string): void {
    let rig: LoginRig

    before(() => {
      rig = rigs.rig(title)
    })

    it('begins with what the provider needs, and a cookie for the callback alone', async () => {
      const browser = rig.browser()
      const asked = (await rig.begin(browser)).searchParams
      assert.equal(asked.get('client_id'), rig.provider.settings.clientId)
      assert.equal(asked.get('redirect_uri'), redirectUriOf(rig.provider.name))
      assert.equal(asked.get('code_challenge_method'), 'S256')
      assert.match(asked.get('code_challenge') ?? '', /^[\w-]{43}$/)
      const { value, expires, ...cookie } = browser.cookies.get('oauth_state') ?? { value: '', expires: 0 }
      assert.deepEqual(cookie, {
        name: 'oauth_state',
        host: 'api.example.com',
        path: '/v1/auth/oauth',
        secure: true,
        httpOnly: true,
        sameSite: 'Lax',
      })
      assert.ok(expires > Date.now() + 590_000 && expires <= Date.now() + 600_000)
      assert.ok(value.includes(asked.get('state') ?? 'none'))
    })

    it('makes user, team and link for a newcomer, whose token works', async () => {
      const before = await rig.counts()
      const person = rig.provider.person()
      const { session, error } = await rig.logIn(person)
      assert.equal(error, null)
      assert.match(session['user_id'] ?? '', /^usr-[a-z2-7]{20}$/)
      assert.match(session['team_id'] ?? '', /^team-[a-z2-7]{20}$/)
      assert.equal(session['email'], person.email)
      await rig.platform.api.create({ token: session['token'] ?? '' })
      const { users, teams, links } = await rig.counts()
      assert.deepEqual([users - before.users, teams - before.teams, links - before.links], [1, 1, 1])
      const rows = await query(
        rig.platform.databaseUrl,
        `select u.password_hash, t.name, m.role, o.provider, o.email from users u
          join team_members m on m.user_id = u.id join teams t on t.id = m.team_id
          join oauth_providers o on o.user_id = u.id where u.email = '${person.email}'`,
      )
      const link = { provider: rig.provider.name, email: person.email }
      assert.deepEqual(rows, [
        { password_hash: null, name: `${person.email}'s Team`, role: 'owner', ...link },
      ])
    })

    it('is the same user at the second time, from another browser, on another control plane', async () => {
      const person = rig.provider.person()
      const first = await rig.logIn(person)
      const before = await rig.counts()
      const second = await rig.logIn(person, rig.browser(await rig.another()))
      assert.deepEqual({ ...second.session, token: '' }, { ...first.session, token: '' })
      assert.notEqual(second.session['token'], '')
      assert.deepEqual(await rig.counts(), before)
    })

    it('of an address with a password ends with email_taken, and makes nothing', async () => {
      const person = rig.provider.person()
      await rig.platform.api.account(person.email)
      const before = await rig.counts()
      assert.equal((await rig.logIn(person)).error, 'email_taken')
      assert.deepEqual(await rig.counts(), before)
      const body = { email: person.email, password: 'correct horse' }
      await rig.platform.api.expect(200, 'login', { body })
    })

    it('that the person refuses ends with access_denied, and takes the cookie away', async () => {
      const browser = rig.browser()
      const { error } = await rig.finish(browser, refusalOf(await rig.begin(browser)))
      assert.equal(error, 'access_denied')
      assert.equal(browser.cookies.get('oauth_state'), undefined)
    })

    it('without its cookie ends with invalid_state', async () => {
      const callback = await rig.consented(rig.browser(), rig.provider.person())
      assert.equal((await rig.finish(rig.browser(), callback)).error, 'invalid_state')
    })

    it('without a code ends with missing_code', async () => {
      for (const code of [undefined, '']) {
        const browser = rig.browser()
        const callback = await rig.consented(browser, rig.provider.person())
        callback.searchParams.delete('code')
        if (code !== undefined) callback.searchParams.set('code', code)
        assert.equal((await rig.finish(browser, callback)).error, 'missing_code')
      }
    })

    it('with a code that the provider does not know ends with exchange_failed', async () => {
      const browser = rig.browser()
      const callback = await rig.consented(browser, rig.provider.person())
      callback.searchParams.set('code', 'guessed')
      assert.equal((await rig.finish(browser, callback)).error, 'exchange_failed')
      assert.equal(browser.cookies.get('oauth_state'), undefined)
    })

    it('whose database goes away ends with internal_error, and works when that is back', async () => {
      const { postgres } = rig.platform
      const browser = rig.browser()
      const person = rig.provider.person()
      const callback = await rig.consented(browser, person)
      await postgres.stop()
      assert.equal((await rig.finish(browser, callback)).error, 'internal_error')
      await postgres.start()
      assert.equal((await rig.logIn(person, browser)).error, null)
    })

    it('with a provider that is unknown or not configured is a 404, in the callback too', async () => {
      for (const name of ['unused', 'gitlab', 'constructor', '__proto__', 'GITHUB', '%00'])
        for (const path of [
          name,
          `${name}/callback?code=a&state=b`,
          `${name}/callback?error=access_denied`,
        ]) {
          const page = await rig.browser().get(`${apiOrigin}/v1/auth/oauth/${path}`)
          assertContract(path === name ? 'oauthRedirect' : 'oauthCallback', page)
          assert.equal(page.status, 404, path)
          assert.match(page.body, /"code":"provider_not_found"/, path)
          assert.equal(page.headers.get('set-cookie'), null)
        }
    })
  }
})
