// A provider, or an account there, that is hostile or broken. One test per attack.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { FakeGitHub, type Endpoint } from '../support/oauth/fake-github.ts'
import type { Person } from '../support/oauth/identity-provider.ts'
import { createLoginRig, type End, type LoginRig } from '../support/oauth/login-rig.ts'
import { misbehaviours, type Misbehaviour } from '../support/oauth/misbehaviours.ts'

const endpoints: Endpoint[] = ['token', 'user', 'emails']
const limits = { deadlineMs: 2_000, maxAnswerBytes: 65_536 }

describe('against the exchange', () => {
  let rig: LoginRig<FakeGitHub> & { remove(): Promise<void> }
  let github: FakeGitHub
  const elsewhere: string[] = []
  const other = createServer((request, response) => {
    elsewhere.push(request.url ?? '')
    response.end('{}')
  })
  let wrong: Record<Misbehaviour, RequestListener>

  before(async () => {
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    wrong = misbehaviours(`http://127.0.0.1:${(other.address() as AddressInfo).port}/elsewhere`)
    rig = await createLoginRig(() => FakeGitHub.start(), { limits })
    github = rig.provider
  })

  after(async () => {
    await rig.remove()
    other.close()
    await once(other, 'close')
  })

  /** Logs in with each endpoint broken in each way, side by side. Nothing comes of it, and the next login works. */
  async function failsWith(...kinds: Misbehaviour[]): Promise<void> {
    const cases = kinds.flatMap((kind) =>
      endpoints.map((endpoint, at) => ({ kind, endpoint, at, person: github.person() })),
    )
    const before = await rig.counts()
    await Promise.all(
      cases.map(async ({ kind, endpoint, at, person }) => {
        github.misbehave(person, endpoint, wrong[kind])
        assert.equal((await rig.logIn(person)).error, 'exchange_failed', `${kind}, ${endpoint}`)
        const calls = github.calls.get(person.login)
        assert.deepEqual(calls, endpoints.slice(0, at + 1), `${kind}, ${endpoint}: nothing is asked twice`)
        github.heal(person)
      }),
    )
    assert.deepEqual(await rig.counts(), before)
    for (const { person } of cases) assert.equal((await rig.logIn(person)).error, null)
  }

  async function logInWith(change: (account: ReturnType<FakeGitHub['account']>) => void): Promise<End> {
    const person: Person = github.person()
    change(github.account(person))
    return rig.logIn(person)
  }

  it('a refusal with status 200 is exchange_failed', () => failsWith('an error with status 200'))

  it('an answer that is an error, no JSON, or not what was asked for is exchange_failed', () =>
    failsWith('a server error', 'an answer that is not JSON', 'JSON of another shape'))

  it('a slow provider is exchange_failed after the deadline, also one that answers bit by bit', async () => {
    const startedAt = performance.now()
    await failsWith('silence', 'an answer that trickles')
    const tookMs = performance.now() - startedAt
    assert.ok(tookMs >= limits.deadlineMs && tookMs < 4.5 * limits.deadlineMs, `${tookMs} ms`)
  })

  it('a huge profile is exchange_failed, and is not read to its end', async () => {
    await failsWith('a huge answer', 'an answer that never ends')
    // What the sockets' buffers take, and no more.
    assert.ok(github.mostBytesSent < 32 * 1_048_576, `${github.mostBytesSent} bytes`)
  })

  it('a redirect is exchange_failed, and is not followed', async () => {
    await failsWith('a redirect')
    assert.deepEqual(elsewhere, [])
  })

  it('a provider that is down is exchange_failed', async () => {
    await failsWith('a dropped connection')
    const [browser, person] = [rig.browser(), github.person()]
    const callback = await rig.consented(browser, person)
    await github.remove()
    const { error } = await rig.finish(browser, callback)
    await github.comeBack()
    assert.equal(error, 'exchange_failed')
    assert.equal((await rig.logIn(person)).error, null)
  })

  it('of a callback that is refused the provider hears nothing', async () => {
    const changes = {
      iss: 'https://evil.example.com',
      state: 'x'.repeat(43),
      code: '',
      error: 'access_denied',
    }
    for (const [name, value] of Object.entries(changes)) {
      const [browser, person] = [rig.browser(), github.person()]
      const callback = await rig.consented(browser, person)
      callback.searchParams.set(name, value)
      assert.notEqual((await rig.finish(browser, callback)).error, null)
      assert.equal(github.calls.get(person.login), undefined, name)
    }
  })

  it('a database that goes away during the exchange is internal_error, and leaves nothing', async () => {
    const { postgres } = rig.platform
    const before = await rig.counts()
    const person = github.person()
    github.misbehave(person, 'user', (_request, response) => {
      const answer = JSON.stringify({ id: github.account(person).id })
      void postgres.stop().then(() => response.setHeader('content-type', 'application/json').end(answer))
    })
    const { error } = await rig.logIn(person)
    await postgres.start()
    assert.equal(error, 'internal_error')
    assert.deepEqual(await rig.counts(), before)
    github.heal(person)
    assert.equal((await rig.logIn(person)).error, null)
  })

  it('header injection through the profile name comes to nothing', async () => {
    const injection = 'Eve\r\nSet-Cookie: admin=1\r\nLocation: https://evil.example.com/\r\n\r\n<script>'
    const { error, page, session } = await logInWith((account) => {
      account.profile = { name: injection, login: injection, bio: injection, email: injection }
    })
    assert.equal(error, null)
    assert.ok(!JSON.stringify([...page.headers]).includes('admin'))
    assert.ok(!page.location?.href.includes('evil'))
    assert.equal(page.headers.getSetCookie().length, 1)
    assert.match(session['email'] ?? '', /^octo\d+@example\.com$/)
  })

  it('header injection through the e-mail address is exchange_failed', async () => {
    for (const email of [
      'a@example.com\r\nSet-Cookie: admin=1',
      'a@example.com&token=x y',
      'a'.repeat(300),
    ]) {
      const { error, page } = await logInWith((account) => {
        account.emails = [{ email, primary: true, verified: true }]
      })
      assert.equal(error, 'exchange_failed', email)
      assert.ok(!JSON.stringify([...page.headers]).includes('admin'))
    }
  })

  it('an address with characters of a query arrives as it is', async () => {
    const email = "o'hara+a&token=x#%41@example.com"
    const { session, location } = await logInWith((account) => {
      account.emails = [{ email, primary: true, verified: true }]
    })
    assert.equal(session['email'], email.toLowerCase())
    assert.equal(location.hash, '')
  })

  it('a profile without e-mail is exchange_failed, also when the public profile shows one', async () => {
    const { error } = await logInWith((account) => {
      account.emails = []
    })
    assert.equal(error, 'exchange_failed')
  })

  it('an unverified e-mail is exchange_failed, also beside a verified one that is not primary', async () => {
    const { error } = await logInWith((account) => {
      for (const each of account.emails) each.verified = !each.primary
    })
    assert.equal(error, 'exchange_failed')
  })

  it('an account that takes over the name of another is another user', async () => {
    const old = github.person()
    const { session } = await rig.logIn(old)
    github.account(old).id += 500_000
    // It has the same login and address, as after a deletion; only the id tells.
    assert.equal((await rig.logIn(old)).error, 'email_taken')
    assert.ok(session['user_id'])
  })
})
