import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StateCookies } from './state-cookie.ts'

const secret = 'a secret for tests, long enough for HS256'
const provider = 'github'

test('what another control plane with the same secret began is opened, with the same verifier', () => {
  const { cookie, state, codeVerifier } = new StateCookies(secret).begin(provider)
  assert.match(state, /^[\w-]{43}$/)
  assert.match(codeVerifier, /^[\w-]{43}$/)
  const opened = new StateCookies(secret).open(cookie, { provider, state })
  assert.deepEqual(opened, { kind: 'good', nonce: state, codeVerifier })
})

test('each attempt has a state and a verifier of its own, and the cookie tells no verifier', () => {
  const cookies = new StateCookies(secret)
  const attempts = Array.from({ length: 100 }, () => cookies.begin(provider))
  const values = attempts.flatMap(({ state, codeVerifier }) => [state, codeVerifier])
  assert.equal(new Set(values).size, 200)
  for (const { cookie, codeVerifier } of attempts) assert.ok(!cookie.includes(codeVerifier))
})

test('a cookie of which any character was changed is bad', () => {
  const cookies = new StateCookies(secret)
  const { cookie, state } = cookies.begin(provider)
  for (let at = 0; at < cookie.length; at += 1) {
    for (const other of 'AQBgw_-.9') {
      if (cookie[at] === other) continue
      const changed = cookie.slice(0, at) + other + cookie.slice(at + 1)
      assert.equal(cookies.open(changed, { provider, state }).kind, 'bad', `character ${at}`)
    }
  }
  for (const cut of [
    cookie.slice(0, -1),
    cookie.slice(1),
    `${cookie}A`,
    '',
    undefined,
    `${cookie}, ${cookie}`,
  ])
    assert.equal(cookies.open(cut, { provider, state }).kind, 'bad')
})

test('a cookie under another secret is bad', () => {
  const { cookie, state } = new StateCookies('another secret, which is as long as the first').begin(provider)
  assert.equal(new StateCookies(secret).open(cookie, { provider, state }).kind, 'bad')
})

test('a cookie is good for ten minutes and with its provider only', () => {
  let now = 1_000_000_500
  const cookies = new StateCookies(secret, () => now)
  const { cookie, state } = cookies.begin(provider)
  assert.equal(cookies.open(cookie, { provider: 'google', state }).kind, 'bad')
  now += 599_000
  assert.equal(cookies.open(cookie, { provider, state }).kind, 'good')
  now += 1_000
  assert.equal(cookies.open(cookie, { provider, state }).kind, 'bad')
})

test('a good cookie with another state is told from a bad one', () => {
  const cookies = new StateCookies(secret)
  const { cookie, state } = cookies.begin(provider)
  const { state: other } = cookies.begin(provider)
  for (const wrong of [other, '', state.slice(1), `${state}a`, 'ü'.repeat(43)])
    assert.equal(cookies.open(cookie, { provider, state: wrong }).kind, 'other')
})
