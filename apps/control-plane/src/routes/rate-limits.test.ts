// Rate limits, with two control planes on one database.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { defaultRateLimits, pollUntil } from '@wrenn/base'
import type { Api } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { query } from '../../../../test/support/postgres.ts'
import { addressGroup } from './rate-limits.ts'

describe('rate limits', () => {
  let platform: Platform
  let apis: Api[]

  const rateLimits = { ...defaultRateLimits, creates: { count: 8, windowSec: 60 } }

  before(async () => {
    // The first is without: for setting up.
    platform = await createPlatform({ trustedProxies: ['127.0.0.1'] })
    const limited = [await platform.another({ rateLimits }), await platform.another({ rateLimits })]
    apis = limited.map(({ api }) => api)
  })

  after(() => platform.remove())

  const api = (n: number): Api => apis[n % apis.length] ?? platform.api
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })

  it('let exactly as many creates through as they say, over two control planes, side by side', async () => {
    const as = await platform.api.account()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => api(n).call('createSandbox', { as, body: {} })),
    )
    assert.equal(answers.filter(({ status }) => status === 201).length, 8)
    const refused = answers.filter(({ status }) => status === 429)
    assert.equal(refused.length, 12)
    for (const { headers } of refused) {
      const retryAfter = Number(headers.get('retry-after'))
      assert.ok(retryAfter > 0 && retryAfter <= 60)
      assert.equal(headers.get('ratelimit-policy'), '"requests";q=6000;w=60, "creates";q=8;w=60')
      assert.match(headers.get('ratelimit') ?? '', /^"requests";r=\d+;t=\d+, "creates";r=0;t=\d+$/)
    }
    const other = await platform.api.account()
    await api(0).create(other)
  })

  it('count logins per address and per e-mail', async () => {
    const login = async (address: string, email: string, n: number): Promise<number> => {
      const body = { email, password: 'wrong horse' }
      return (await api(n).call('login', { body, ...from(address) })).status
    }
    for (let n = 0; n < 10; n += 1) assert.equal(await login('203.0.113.1', `u${n}@example.com`, n), 401)
    assert.equal(await login('203.0.113.1', 'u10@example.com', 0), 429)
    assert.equal(await login('203.0.113.2', 'u10@example.com', 1), 401)
    for (let n = 0; n < 10; n += 1) assert.equal(await login(`198.51.100.${n}`, 'one@example.com', n), 401)
    assert.equal(await login('198.51.100.99', 'ONE@example.com', 0), 429)
  })

  it('count signups per address', async () => {
    const signUp = async (address: string, n: number): Promise<number> => {
      const body = { email: `s${address}-${n}@example.com`, password: 'correct horse' }
      return (await api(n).call('signup', { body, ...from(address) })).status
    }
    for (let n = 0; n < 10; n += 1) assert.equal(await signUp('203.0.113.3', n), 201)
    assert.equal(await signUp('203.0.113.3', 10), 429)
    assert.equal(await signUp('203.0.113.4', 11), 201)
  })

  it('begin anew when the window is over', async () => {
    const tight = await platform.another({
      rateLimits: { ...defaultRateLimits, creates: { count: 1, windowSec: 1 } },
    })
    const as = await platform.api.account()
    await tight.api.create(as)
    const create = () => tight.api.call('createSandbox', { as, body: {} })
    assert.equal((await create()).status, 429)
    await pollUntil('a create is let through', async () => (await create()).status === 201 || undefined, {
      timeoutMs: 5_000,
    })
  })

  it('of many requests are reserved in batches, and never exceeded', async () => {
    const limits = { ...defaultRateLimits, requests: { count: 500, windowSec: 600 } }
    const first = await platform.another({ rateLimits: limits })
    const second = await platform.another({ rateLimits: limits })
    const as = await platform.api.account()
    let passed = 0
    for (const n of Array(14).keys()) {
      const answers = await Promise.all(
        Array.from({ length: 40 }, () => (n % 2 === 0 ? first : second).api.call('listSandboxes', { as })),
      )
      passed += answers.filter(({ status }) => status === 200).length
    }
    assert.ok(passed <= 500 && passed >= 490, `${passed} of 500`)
    const [row] = await query<{ used: number }>(
      platform.databaseUrl,
      `select used from rate_limits where key like 'requests %' order by used desc limit 1`,
    )
    assert.equal(row?.used, 500)
  })

  it('say nothing when they are off', async () => {
    const as = await platform.api.account()
    const { headers } = await platform.api.call('listSandboxes', { as })
    assert.equal(headers.get('ratelimit'), null)
  })

  it('take an IPv6 client as its /64', () => {
    assert.equal(addressGroup('2001:db8::1'), addressGroup('2001:0DB8:0:0:ffff::2'))
    assert.notEqual(addressGroup('2001:db8::1'), addressGroup('2001:db8:0:1::1'))
    assert.equal(addressGroup('::ffff:1.2.3.4'), '1.2.3.4')
    assert.equal(addressGroup('1.2.3.4'), '1.2.3.4')
  })
})
