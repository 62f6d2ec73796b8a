// Attacks on the callback, a test for each, against each provider. Victim and attacker have browsers of their own.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Api } from '../support/api.ts'
import type { Browser } from '../support/oauth/browser.ts'
import { apiOrigin, twinOf, type Person } from '../support/oauth/identity-provider.ts'
import { createLoginRigs, type LoginRig, type LoginRigs } from '../support/oauth/login-rig.ts'
import { identityProviders } from '../support/oauth/providers.ts'

describe('against the callback', () => {
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

    interface Ready {
      browser: Browser
      person: Person
      callback: URL
    }

    async function ready(): Promise<Ready> {
      const [browser, person] = [rig.browser(), rig.provider.person()]
      return { browser, person, callback: await rig.consented(browser, person) }
    }

    async function refused(browser: Browser, callback: URL): Promise<void> {
      const before = await rig.counts()
      assert.equal((await rig.finish(browser, callback)).error, 'invalid_state')
      assert.deepEqual(await rig.counts(), before)
    }

    function withCookie(value: string, api?: Api): Browser {
      const browser = rig.browser(api)
      browser.cookies.put({
        name: 'oauth_state',
        value,
        host: new URL(apiOrigin).hostname,
        path: '/',
        secure: false,
        httpOnly: false,
        sameSite: 'Lax',
        expires: Infinity,
      })
      return browser
    }

    const cookieOf = (browser: Browser): string => browser.cookies.get('oauth_state')?.value ?? ''

    it('a forged state is invalid_state: made up, changed, or signed with a key of the attacker', async () => {
      const { browser, callback } = await ready()
      const good = cookieOf(browser)
      const state = callback.searchParams.get('state') ?? ''
      const forged = 'A'.repeat(state.length)
      const flipped = (good.at(-20) === 'A' ? 'B' : 'A') + good.slice(-19)
      for (const [cookie, sent] of [
        [good, forged],
        [good, ''],
        [good.replace(state, forged), forged],
        [good.slice(0, -20) + flipped, state],
        [good.slice(0, good.lastIndexOf('.') + 1), state],
        [state, state],
        ['', ''],
      ] as const) {
        const url = new URL(callback)
        url.searchParams.set('state', sent)
        await refused(withCookie(cookie), url)
      }
      const other = await rig.another({ jwtSecret: 'another secret, which is as long as the first' })
      const attacker = rig.browser(other)
      const attackers = await rig.consented(attacker, rig.provider.person())
      await refused(withCookie(cookieOf(attacker)), attackers)
    })

    it('a state without its parameter is invalid_state', async () => {
      const { browser, callback } = await ready()
      callback.searchParams.delete('state')
      await refused(browser, callback)
    })

    it('a replayed state is invalid_state, also with a kept copy of the cookie on another control plane', async () => {
      const { browser, person, callback } = await ready()
      const kept = cookieOf(browser)
      assert.equal((await rig.finish(browser, callback)).error, null)
      assert.equal(cookieOf(browser), '')
      await refused(browser, callback)
      const another = await rig.another()
      // With a code that was never used, so that nothing but the state stands in the way.
      const fresh = new URL(await rig.consented(rig.browser(), person))
      fresh.searchParams.set('state', callback.searchParams.get('state') ?? '')
      for (const api of [rig.platform.api, another]) {
        await refused(withCookie(kept, api), fresh)
      }
    })

    it('the state of another browser is invalid_state, with and without a login of its own under way', async () => {
      const { callback } = await ready()
      await refused(rig.browser(), callback)
      const victim = await ready()
      await refused(victim.browser, callback)
      assert.equal((await rig.finish(victim.browser, victim.callback)).error, null)
    })

    it('a swapped provider is invalid_state', async () => {
      const { browser, callback } = await ready()
      const { name } = rig.provider
      callback.pathname = callback.pathname.replace(name, twinOf(name))
      await refused(browser, callback)
    })

    it("a mixed-up issuer is invalid_state, and the provider's own is a login", async () => {
      for (const issuer of ['https://evil.example.com', `${rig.provider.issuer}/`, '']) {
        const { browser, callback } = await ready()
        callback.searchParams.set('iss', issuer)
        await refused(browser, callback)
      }
      const { browser, callback } = await ready()
      callback.searchParams.set('iss', rig.provider.issuer)
      assert.equal((await rig.finish(browser, callback)).error, null)
    })

    it('code reuse is exchange_failed, also within a login of the attacker', async () => {
      const { browser, callback } = await ready()
      assert.equal((await rig.finish(browser, callback)).error, null)
      const attacker = await ready()
      attacker.callback.searchParams.set('code', callback.searchParams.get('code') ?? '')
      assert.equal((await rig.finish(attacker.browser, attacker.callback)).error, 'exchange_failed')
    })

    it("login CSRF fails: the attacker's answer does not log the victim in, by link or embedded", async () => {
      const { callback } = await ready()
      const victim = await ready()
      for (const initiator of ['navigation', 'embedded'] as const) {
        const page = await victim.browser.get(callback, initiator)
        assert.equal(page.location?.searchParams.get('error'), 'invalid_state')
        assert.equal(page.location?.searchParams.get('token'), null)
      }
      // Another site's page cannot even finish the victim's own.
      const embedded = await victim.browser.get(victim.callback, 'embedded')
      assert.equal(embedded.location?.searchParams.get('error'), 'invalid_state')
    })

    it('an open redirect is not to be had through any parameter, of the start or of the callback', async () => {
      const evil = 'https://evil.example.com/'
      const names = [
        'redirect_uri',
        'redirect',
        'redirect_url',
        'next',
        'return_to',
        'state',
        'code',
        'error',
      ]
      const query = new URLSearchParams(names.map((name): [string, string] => [name, evil])).toString()
      const page = await rig.browser().get(`${apiOrigin}/v1/auth/oauth/${rig.provider.name}?${query}`)
      assert.equal(page.status, 302)
      assert.ok(!page.location?.href.includes('evil'))
      const providersPage = await rig.begin(rig.browser())
      assert.equal(page.location?.origin, providersPage.origin)
      for (const name of [...names, 'error_description', 'error_uri', 'iss', '//evil.example.com']) {
        const { browser, callback } = await ready()
        callback.searchParams.set(name, evil)
        // `finish` fails for any target but the frontend's own page.
        const { location } = await rig.finish(browser, callback)
        assert.ok(!location.href.includes('evil'), name)
      }
    })

    it('a callback that says an error gives it no way into the answer', async () => {
      const { browser, callback } = await ready()
      callback.searchParams.set('error', 'a\r\nset-cookie: x=y\r\n\r\n<script>')
      const { page, location } = await rig.finish(browser, callback)
      assert.equal(location.search, '?error=access_denied')
      assert.match(page.headers.get('set-cookie') ?? '', /^oauth_state=;/)
      assert.equal(page.body, '')
    })
  }
})
