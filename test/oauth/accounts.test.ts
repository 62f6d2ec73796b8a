// What accounts by OAuth and accounts by password have to do with each other, and who gets one.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { FakeGitHub } from '../support/oauth/fake-github.ts'
import { createLoginRig, type LoginRig } from '../support/oauth/login-rig.ts'

const password = 'correct horse'

describe('an account by OAuth', () => {
  let rig: LoginRig<FakeGitHub> & { remove(): Promise<void> }

  before(async () => {
    rig = await createLoginRig(() => FakeGitHub.start(), { signups: 'closed' })
  })

  after(() => rig.remove())

  /** Of a login on a control plane with these SIGNUPS, by someone new with this address. */
  async function errorOf(signups: 'open' | 'closed' | { domains: string[] }, email: string) {
    const api = await rig.another({ signups })
    const person = rig.provider.person()
    rig.provider.account(person).emails = [{ email, primary: true, verified: true }]
    return (await rig.logIn(person, rig.browser(api))).error
  }

  it('is for exactly one of ten who come at once to a new platform with closed signups, and then for nobody', async () => {
    const ready = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const browser = rig.browser()
        return { browser, callback: await rig.consented(browser, rig.provider.person()) }
      }),
    )
    const ends = await Promise.all(ready.map(({ browser, callback }) => rig.finish(browser, callback)))
    assert.deepEqual(ends.map(({ error }) => error ?? '').toSorted(), [
      '',
      ...Array.from({ length: 9 }, () => 'access_denied'),
    ])
    assert.deepEqual(await rig.counts(), { users: 1, teams: 1, links: 1 })
    assert.equal(await errorOf('closed', 'second@example.com'), 'access_denied')
    assert.deepEqual(await rig.counts(), { users: 1, teams: 1, links: 1 })
  })

  it('is for the domains of SIGNUPS, and no others', async () => {
    const signups = { domains: ['example.com', 'example.org'] }
    assert.equal(await errorOf(signups, 'Ann@Example.ORG'), null)
    for (const email of ['a@sub.example.com', 'a@xexample.com', 'a@example.com.evil.test'])
      assert.equal(await errorOf(signups, email), 'access_denied', email)
    assert.equal(await errorOf('open', 'anybody@evil.test'), null)
  })

  it('that is there logs in although signups are closed', async () => {
    const person = rig.provider.person()
    assert.equal((await rig.logIn(person, rig.browser(await rig.another({ signups: 'open' })))).error, null)
    assert.equal((await rig.logIn(person)).error, null)
  })

  it('keeps its user when its address at the provider changes, also to that of another user', async () => {
    const api = await rig.another({ signups: 'open' })
    const person = rig.provider.person()
    const first = await rig.logIn(person, rig.browser(api))
    const taken = await api.account()
    for (const email of ['moved@example.com', taken.email]) {
      rig.provider.account(person).emails = [{ email, primary: true, verified: true }]
      const { session } = await rig.logIn(person)
      assert.deepEqual({ ...session, token: '' }, { ...first.session, token: '' })
    }
  })

  it('has no password, and login does not tell: the same answer, after the same work', async () => {
    const api = await rig.another({ signups: 'open' })
    const person = rig.provider.person()
    await rig.logIn(person, rig.browser(api))
    const { email: withPassword } = await api.account()
    const emails = { OAuth: person.email, password: withPassword, none: 'nobody@example.com' }
    const refuse = async (email: string, password: string): Promise<{ message: string; ms: number }> => {
      const before = process.cpuUsage()
      const message = await api.refused('unauthorized', 'login', { body: { email, password } })
      const { user, system } = process.cpuUsage(before)
      return { message, ms: (user + system) / 1_000 }
    }
    const least: Record<string, number> = { OAuth: Infinity, password: Infinity, none: Infinity }
    // Of CPU, which the control plane uses in this process: time on a busy machine says little. In turns, and the least of
    // each: what else goes on here only ever adds some.
    for (let attempt = 0; attempt < 8; attempt += 1)
      for (const [kind, email] of Object.entries(emails)) {
        const { message, ms } = await refuse(email, 'wrong horse')
        assert.equal(message, 'E-mail or password is wrong')
        least[kind] = Math.min(least[kind] ?? Infinity, ms)
      }
    const times = Object.values(least)
    assert.ok(Math.min(...times) > Math.max(...times) / 2, JSON.stringify(least))
    for (const guess of ['', ' ', 'null', 'undefined', password])
      assert.equal((await refuse(person.email, guess)).message, 'E-mail or password is wrong')
    await api.refused('email_taken', 'signup', { body: { email: person.email, password } })
  })
})
