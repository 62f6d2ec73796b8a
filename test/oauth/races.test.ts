// First logins of one account, and a login and a signup for one address, all at once: on one control plane and on two.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { PublicSchemas } from '@wrenn/contract'
import type { Api } from '../support/api.ts'
import { holdTransaction } from '../support/held-transaction.ts'
import type { Person } from '../support/oauth/identity-provider.ts'
import { createLoginRigs, type End, type LoginRig, type LoginRigs } from '../support/oauth/login-rig.ts'
import { identityProviders } from '../support/oauth/providers.ts'

const callbacks = 50
const rounds = 6

describe('at once', () => {
  let rigs: LoginRigs
  let apis: Api[]

  before(async () => {
    rigs = await createLoginRigs(identityProviders)
    const [title = ''] = Object.keys(identityProviders)
    const rig = rigs.rig(title)
    apis = [rig.platform.api, await rig.another()]
  })

  after(() => rigs.remove())

  for (const title of Object.keys(identityProviders)) {
    it(`${callbacks} callbacks of one new account through ${title} make one user, and are ${callbacks} logins`, () =>
      newcomer(rigs.rig(title), apis.slice(0, 1)))

    it(`so they do on two control planes through ${title}`, () => newcomer(rigs.rig(title), apis))

    it(`of a signup and a login through ${title} for one address exactly one wins, in ${rounds} rounds`, () =>
      signupAndLogin(rigs.rig(title)))
  }

  async function newcomer(rig: LoginRig, on: readonly Api[]): Promise<void> {
    const person = rig.provider.person()
    const before = await rig.counts()
    const ready = await Promise.all(
      Array.from({ length: callbacks }, async (_, n) => {
        const browser = rig.browser(on[n % on.length])
        return { browser, callback: await rig.consented(browser, person) }
      }),
    )
    const ends = await Promise.all(ready.map(({ browser, callback }) => rig.finish(browser, callback)))
    assert.deepEqual(
      ends.map(({ error }) => error),
      ready.map(() => null),
    )
    const who = ({ session }: End): string => `${session['user_id']} ${session['team_id']}`
    assert.equal(new Set(ends.map(who)).size, 1)
    assert.equal(new Set(ready.map(({ callback }) => callback.searchParams.get('code'))).size, callbacks)
    const counts = await rig.counts()
    assert.deepEqual(counts, {
      users: before.users + 1,
      teams: before.teams + 1,
      links: before.links + 1,
    })
    const [first, last] = [ends[0], ends.at(-1)]
    for (const end of [first, last])
      await rig.platform.api.expect(200, 'listSandboxes', { as: { token: end?.session['token'] ?? '' } })
  }

  async function signupAndLogin(rig: LoginRig): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      const person = rig.provider.person()
      const browser = rig.browser(apis[round % 2])
      const callback = await rig.consented(browser, person)
      const body = { email: person.email, password: 'correct horse' }
      const before = await rig.counts()
      // Both have found the address free when the first of them may write.
      const held = await holdTransaction(rig.platform.databaseUrl, 'lock table users in share mode')
      const both = Promise.all([
        rig.platform.api.call<PublicSchemas['Error']>('signup', { body }),
        rig.finish(browser, callback),
      ])
      await held.untilWaiting(2)
      await held.commit()
      const [signup, login] = await both
      if (signup.status === 201) assert.equal(login.error, 'email_taken')
      else {
        assert.deepEqual([signup.status, signup.body.error.code], [409, 'email_taken'])
        assert.equal(login.error, null)
      }
      const { users, teams, links } = await rig.counts()
      assert.deepEqual([users - before.users, teams - before.teams], [1, 1])
      assert.equal(links - before.links, login.error === null ? 1 : 0)
    }
  }

  it('an address that is taken at the last moment is email_taken', async () => {
    const rig = rigs.rig('a strict GitHub')
    const person = rig.provider.person()
    const { error } = await lostTo(rig, person, userRows(person.email))
    assert.equal(error, 'email_taken')
    assert.equal((await rig.logIn(person)).error, 'email_taken')
  })

  it('an account that is linked at the last moment, under whatever address, is a login', async () => {
    const rig = rigs.rig('a strict GitHub')
    for (const address of ['same', 'other']) {
      const person = rig.provider.person()
      const email = address === 'same' ? person.email : `other-${person.email}`
      const link = `insert into oauth_providers (provider, provider_id, user_id, email)
        values ('github', '${person.login.slice('octo'.length)}', 'usr-${email}', '${email}')`
      const { error, session } = await lostTo(rig, person, `${userRows(email)}; ${link}`)
      assert.equal(error, null)
      const { token: _any, ...who } = session
      assert.deepEqual(who, { user_id: `usr-${email}`, team_id: `team-${email}`, email })
    }
  })

  /** What a login ends with when others commit `sql` between its look and its writing. */
  async function lostTo(rig: LoginRig, person: Person, sql: string): Promise<End> {
    const browser = rig.browser()
    const callback = await rig.consented(browser, person)
    const before = await rig.counts()
    const held = await holdTransaction(rig.platform.databaseUrl, sql)
    const end = rig.finish(browser, callback)
    await held.untilWaiting(1)
    await held.commit()
    await end
    const after = await rig.counts()
    assert.deepEqual([after.users - before.users, after.teams - before.teams], [1, 1])
    return end
  }
})

/** User, team and membership, as a signup elsewhere makes them. */
function userRows(email: string): string {
  return `insert into users (id, email) values ('usr-${email}', '${email}');
    insert into teams (id, name) values ('team-${email}', 'x');
    insert into team_members (team_id, user_id, role) values ('team-${email}', 'usr-${email}', 'owner')`
}
