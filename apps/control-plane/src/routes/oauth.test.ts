// The OAuth operations with a provider that answers here: what is redirected where, and what stands in the database. The
// providers themselves are tried over HTTP elsewhere.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Writable } from 'node:stream'
import { createLogger } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Api } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'
import { codeChallengeOf, type OAuthProfile, type ProviderFactory } from '../auth/oauth/provider.ts'
import { listUsers, resetPassword, setUserDisabled } from '../services/users.ts'
import { openDatabase } from '../store/database.ts'

const redirectUrl = 'https://app.example.com/ui'

/** The code is the profile. Each code is good once, with the verifier of its attempt. */
const testProvider: ProviderFactory = ({ name, redirectUri }) => ({
  name,
  title: 'Test',
  issuer: 'https://provider.example.com',
  authorizationUrl: (state, codeChallenge) => {
    const parameters = new URLSearchParams({ state, codeChallenge, redirectUri })
    return new URL(`https://provider.example.com/go?${parameters.toString()}`)
  },
  exchange: async (code, codeVerifier) => {
    const { challenge, ...profile } = JSON.parse(code) as OAuthProfile & { challenge?: string }
    if (challenge !== undefined && challenge !== codeChallengeOf(codeVerifier))
      throw new Error('another verifier')
    return profile
  },
})

const brokenProvider: ProviderFactory = (context) => ({
  ...testProvider(context),
  authorizationUrl: async () => {
    throw new Error('discovery failed')
  },
})

describe('OAuth', () => {
  let platform: Platform
  let log = ''

  const oauth = {
    known: { one: testProvider, two: testProvider, broken: brokenProvider, unused: testProvider },
    configured: Object.fromEntries(
      ['one', 'two', 'broken'].map((name) => [name, { clientId: 'id', clientSecret: 'secret' }]),
    ),
    publicUrl: 'https://api.example.com',
    redirectUrl,
  }

  before(async () => {
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        log += chunk.toString()
        done()
      },
    })
    platform = await createPlatform({ oauth, logger: createLogger('control-plane', 'info', output) })
  })

  after(() => platform.remove())

  interface Attempt {
    cookie: string
    state: string
    challenge: string
    setCookie: string
  }

  async function begin(provider = 'one', api: Api = platform.api): Promise<Attempt> {
    const { status, headers } = await api.call('oauthRedirect', { params: { provider } })
    assert.equal(status, 302)
    assertPrivate(headers)
    const setCookie = headers.get('set-cookie') ?? ''
    const to = new URL(headers.get('location') ?? '').searchParams
    const cookie = setCookie.split(';')[0] ?? ''
    return { cookie, setCookie, state: to.get('state') ?? '', challenge: to.get('codeChallenge') ?? '' }
  }

  interface Returned {
    to: URL
    error: string | null
    setCookie: string | null
  }

  async function comeBack(
    cookie: string | undefined,
    parameters: Record<string, string>,
    { provider = 'one', api = platform.api }: { provider?: string; api?: Api } = {},
  ): Promise<Returned> {
    const { status, headers } = await api.call('oauthCallback', {
      params: { provider },
      query: new URLSearchParams(parameters).toString(),
      headers: cookie === undefined ? {} : { cookie },
    })
    assert.equal(status, 302)
    assertPrivate(headers)
    const to = new URL(headers.get('location') ?? '')
    assert.equal(to.origin + to.pathname, `${redirectUrl}/auth/${provider}/callback`)
    return { to, error: to.searchParams.get('error'), setCookie: headers.get('set-cookie') }
  }

  function assertPrivate(headers: Headers): void {
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
  }

  const codeOf = (profile: OAuthProfile & { challenge?: string }): string => JSON.stringify(profile)

  async function logIn(profile: OAuthProfile, api: Api = platform.api): Promise<Returned> {
    const { cookie, state, challenge } = await begin('one', api)
    return comeBack(cookie, { state, code: codeOf({ ...profile, challenge }) }, { api })
  }

  const rowsOf = (table: string, where: string) =>
    query<{ count: number }>(
      platform.databaseUrl,
      `select count(*)::int as count from ${table} where ${where}`,
    ).then(([row]) => row?.count)

  it('sends the browser to the provider with a cookie for ten minutes', async () => {
    const { setCookie, state } = await begin()
    assert.match(
      setCookie,
      /^oauth_state=[\w.-]+; Max-Age=600; Path=\/v1\/auth\/oauth; HttpOnly; SameSite=Lax; Secure$/,
    )
    assert.match(state, /^[\w-]{43}$/)
  })

  it('knows the redirect_uri, also when browsers reach the API below a path or by http', async () => {
    const { api } = await platform.another({
      oauth: { ...oauth, publicUrl: 'http://localhost:8080/wrenn' },
    })
    const { headers } = await api.call('oauthRedirect', { params: { provider: 'one' } })
    assert.match(headers.get('set-cookie') ?? '', /; Path=\/wrenn\/v1\/auth\/oauth; HttpOnly; SameSite=Lax$/)
    assert.equal(
      new URL(headers.get('location') ?? '').searchParams.get('redirectUri'),
      'http://localhost:8080/wrenn/v1/auth/oauth/one/callback',
    )
  })

  it('makes user, team and link at the first login, and finds them at the next, whatever the address is then', async () => {
    const email = 'o+1&x@example.com'
    const first = await logIn({ id: '1', email: ' O+1&X@Example.com' })
    assert.match(first.setCookie ?? '', /^oauth_state=; Max-Age=0; Path=\/v1\/auth\/oauth;/)
    const session = Object.fromEntries(first.to.searchParams)
    assert.deepEqual(Object.keys(session), ['token', 'user_id', 'team_id', 'email'])
    assert.equal(session['email'], email)
    const as = { token: session['token'] ?? '' }
    await platform.api.expect(200, 'listAPIKeys', { as })
    const again = Object.fromEntries((await logIn({ id: '1', email: 'new@example.com' })).to.searchParams)
    assert.deepEqual({ ...again, token: '' }, { ...session, token: '' })
    assert.equal(await rowsOf('team_members', `user_id = '${session['user_id']}'`), 1)
    assert.deepEqual(
      await query(
        platform.databaseUrl,
        `select provider, email from oauth_providers where provider_id = '1'`,
      ),
      [{ provider: 'one', email }],
    )
  })

  it('unknown providers, and known ones that are not configured, answer 404 in both operations', async () => {
    for (const provider of ['unused', 'three', 'constructor', '__proto__', 'One'])
      for (const id of ['oauthRedirect', 'oauthCallback'] as const)
        await platform.api.refused('provider_not_found', id, { params: { provider } })
    const { api } = await platform.another({ oauth: { configured: {} } })
    await api.refused('provider_not_found', 'oauthRedirect', { params: { provider: 'github' } })
  })

  it('stands in the served contract with the providers that are known', async () => {
    const text = await platform.api.expect<string>(200, 'getContract')
    assert.equal(text.match(/enum: \[one, two, broken, unused\]/g)?.length, 2)
  })

  it('a provider that cannot be asked where to go is a 503', async () => {
    const call = { params: { provider: 'broken' } }
    assert.match(await platform.api.refused('unavailable', 'oauthRedirect', call), /does not answer/)
  })

  it('checks in the order of the promises', async () => {
    const good = codeOf({ id: '2', email: 'order@example.com' })
    const error = async (
      change: (attempt: Attempt) => [cookie: string | undefined, parameters: Record<string, string>],
      provider = 'one',
    ) => (await comeBack(...change(await begin()), { provider })).error
    const otherState = (await begin()).state
    assert.equal(await error(() => [undefined, { error: 'access_denied' }]), 'access_denied')
    assert.equal(
      await error(({ cookie, state }) => [cookie, { error: 'x', state, code: good }]),
      'access_denied',
    )
    assert.equal(await error(({ state }) => [undefined, { state, code: good }]), 'invalid_state')
    assert.equal(await error(({ cookie }) => [cookie, { code: good }]), 'invalid_state')
    assert.equal(await error(({ cookie }) => [cookie, { state: otherState }]), 'invalid_state')
    assert.equal(
      await error(({ cookie, state }) => [`${cookie}; ${cookie}`, { state, code: good }]),
      'invalid_state',
    )
    assert.equal(await error(({ cookie, state }) => [cookie, { state, code: good }], 'two'), 'invalid_state')
    assert.equal(await error(({ cookie, state }) => [cookie, { state, iss: 'https://x' }]), 'missing_code')
    assert.equal(
      await error(({ cookie, state }) => [cookie, { state, code: good, iss: 'https://x' }]),
      'invalid_state',
    )
    assert.equal(await error(({ cookie, state }) => [cookie, { state, code: 'x' }]), 'exchange_failed')
    const iss = 'https://provider.example.com'
    assert.equal(await error(({ cookie, state }) => [cookie, { state, code: good, iss }]), null)
  })

  it('a profile without a usable id or address is exchange_failed', async () => {
    for (const profile of [
      { id: '', email: 'a@example.com' },
      { id: 'x'.repeat(256), email: 'a@example.com' },
      { id: 'a\r\nb', email: 'a@example.com' },
      { id: '3', email: 'nonsense' },
      { id: '3', email: 'a@example.com\r\nset-cookie: a=b' },
    ])
      assert.equal((await logIn(profile)).error, 'exchange_failed')
  })

  it('a state is good once, also when its callback failed, and on every control plane', async () => {
    const { api } = await platform.another()
    for (const code of ['x', codeOf({ id: '4', email: 'once@example.com' })]) {
      const { cookie, state } = await begin()
      const ends = await Promise.all(
        [platform.api, api, platform.api].map((api) => comeBack(cookie, { state, code }, { api })),
      )
      assert.equal(ends.filter(({ error }) => error === 'invalid_state').length, 2)
    }
    const { cookie, state } = await begin()
    assert.equal((await comeBack(cookie, { state, error: 'access_denied' })).error, 'access_denied')
    const code = codeOf({ id: '4', email: 'once@example.com' })
    assert.equal((await comeBack(cookie, { state, code })).error, 'invalid_state')
  })

  it('after ten minutes the state is worth nothing', async () => {
    const { api } = await platform.another({ oauth: { ...oauth, now: () => Date.now() + 601_000 } })
    const { cookie, state } = await begin()
    const code = codeOf({ id: '5', email: 'late@example.com' })
    assert.equal((await comeBack(cookie, { state, code }, { api })).error, 'invalid_state')
  })

  it('of two tabs the one that began later logs in, also after the other one has failed', async () => {
    const older = await begin()
    const newer = await begin()
    const code = codeOf({ id: '6', email: 'tabs@example.com' })
    const failed = await comeBack(newer.cookie, { state: older.state, code })
    assert.deepEqual([failed.error, failed.setCookie], ['invalid_state', null])
    assert.equal((await comeBack(newer.cookie, { state: newer.state, code })).error, null)
  })

  it('an address of an account that is not linked is email_taken, whichever came first', async () => {
    const { email } = await platform.api.account()
    assert.equal((await logIn({ id: '7', email })).error, 'email_taken')
    await logIn({ id: '8', email: 'eight@example.com' })
    assert.equal((await logIn({ id: '9', email: 'eight@example.com' })).error, 'email_taken')
    const { cookie, state } = await begin('two')
    const code = codeOf({ id: '8', email: 'eight@example.com' })
    assert.equal((await comeBack(cookie, { state, code }, { provider: 'two' })).error, 'email_taken')
    const body = { email: 'eight@example.com', password: 'correct horse' }
    await platform.api.refused('email_taken', 'signup', { body })
  })

  it('fifty callbacks of one new account at once, on two control planes, are fifty logins of one user', async () => {
    const { api } = await platform.another()
    const profile = { id: '10', email: 'fifty@example.com' }
    const attempts = await Promise.all(Array.from({ length: 50 }, () => begin()))
    const ends = await Promise.all(
      attempts.map(({ cookie, state, challenge }, n) =>
        comeBack(
          cookie,
          { state, code: codeOf({ ...profile, challenge }) },
          { api: n % 2 === 0 ? api : platform.api },
        ),
      ),
    )
    assert.deepEqual(
      ends.map(({ error }) => error).filter((error) => error !== null),
      [],
    )
    assert.equal(new Set(ends.map(({ to }) => to.searchParams.get('user_id'))).size, 1)
    assert.equal(await rowsOf('users', `email = '${profile.email}'`), 1)
    assert.equal(await rowsOf('teams', `name = '${profile.email}''s Team'`), 1)
    assert.equal(await rowsOf('oauth_providers', `provider_id = '10'`), 1)
  })

  it('a signup and a first login for one address at once: exactly one wins', async () => {
    const { api } = await platform.another()
    for (let round = 0; round < 10; round += 1) {
      const email = `race${round}@example.com`
      const { cookie, state } = await begin()
      const [signup, login] = await Promise.all([
        api.call<PublicSchemas['Error']>('signup', { body: { email, password: 'correct horse' } }),
        comeBack(cookie, { state, code: codeOf({ id: email, email }) }),
      ])
      const won = [signup.status === 201, login.error === null]
      assert.equal(won.filter(Boolean).length, 1, JSON.stringify([signup.body, login.error]))
      assert.equal(won[0] ? login.error : signup.body.error.code, 'email_taken')
      assert.equal(await rowsOf('users', `email = '${email}'`), 1)
    }
  })

  it('SIGNUPS holds, and whoever has an account is told so', async () => {
    const taken = await platform.api.account()
    await logIn({ id: '11', email: 'eleven@example.com' })
    const closed = await platform.another({ signups: 'closed' })
    const errorOf = async (id: string, email: string, { api } = closed): Promise<string | null> =>
      (await logIn({ id, email }, api)).error
    assert.equal(await errorOf('12', 'twelve@example.com'), 'access_denied')
    assert.equal(await errorOf('12', taken.email), 'email_taken')
    assert.equal(await errorOf('11', 'other@example.com'), null)
    const some = await platform.another({ signups: { domains: ['example.org'] } })
    assert.equal(await errorOf('13', 'a@example.com', some), 'access_denied')
    assert.equal(await errorOf('13', 'a@example.org', some), null)
  })

  it('a user who came by OAuth has no password, and login does not tell', async () => {
    await logIn({ id: '14', email: 'nopassword@example.com' })
    for (const email of ['nopassword@example.com', 'nobody@example.com'])
      for (const password of ['correct horse', ''])
        assert.equal(
          await platform.api.refused('unauthorized', 'login', { body: { email, password } }),
          'E-mail or password is wrong',
        )
  })

  it('the operator sees a user who came by OAuth, keeps it out, and gives it a password', async () => {
    const email = 'operated@example.com'
    await logIn({ id: '15', email })
    const db = openDatabase(platform.databaseUrl, createLogger('test', 'silent'))
    try {
      assert.ok((await listUsers(db)).some((user) => user.email === email))
      await setUserDisabled(db, email, true)
      assert.equal((await logIn({ id: '15', email })).error, 'access_denied')
      await setUserDisabled(db, email, false)
      assert.equal((await logIn({ id: '15', email })).error, null)
      const password = await resetPassword(db, email)
      await platform.api.expect(200, 'login', { body: { email, password } })
      assert.equal((await logIn({ id: '15', email })).error, null)
    } finally {
      await db.destroy()
    }
  })

  it('a lost database is internal_error, with the reason in the log', async () => {
    const attempt = await begin()
    const { state } = attempt
    await platform.postgres.stop()
    const { error } = await comeBack(attempt.cookie, { state, code: codeOf({ id: '16', email: 'x@y.zz' }) })
    await platform.postgres.start()
    assert.equal(error, 'internal_error')
    const line = log.split('\n').find((line) => line.includes('"internal_error"'))
    assert.match(line ?? '', /"op":"oauthCallback","outcome":"failed".*"reason":"/)
  })

  it('says why in the log, and neither state, code, verifier nor token', async () => {
    log = ''
    const { cookie, state, challenge } = await begin()
    const code = codeOf({ id: '17', email: 'log@example.com', challenge })
    const { to } = await comeBack(cookie, { state, code })
    await comeBack(cookie, { state, code })
    assert.match(log, /"op":"oauthCallback","outcome":"ok","status":302,.*"userId":"usr-/)
    assert.match(log, /"outcome":"refused".*"code":"invalid_state","reason":"the state was used before"/)
    const token = to.searchParams.get('token') ?? ''
    for (const secret of [state, code, encodeURIComponent(code), cookie, challenge, token, token.slice(-20)])
      assert.ok(!log.includes(secret), secret)
  })
})
