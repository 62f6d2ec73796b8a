import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publicContract } from '@wrenn/contract'
import { cookieParameters } from './cookies.ts'

const operations = publicContract().operations

function cookiesIn(header: string | undefined, id = 'oauthCallback'): Record<string, string> {
  const operation = operations.get(id)
  assert.ok(operation)
  return cookieParameters(operation, header)
}

test('the cookies that the contract names are found, and no others', () => {
  assert.deepEqual(cookiesIn(undefined), {})
  assert.deepEqual(cookiesIn('a=b'), {})
  assert.deepEqual(cookiesIn('oauth_state=x', 'health'), {})
  assert.deepEqual(cookiesIn('a=b; oauth_state=v1.a=b ; xoauth_state=y;__proto__=z'), {
    oauth_state: 'v1.a=b',
  })
  assert.deepEqual(cookiesIn('oauth_state'), {})
  assert.deepEqual(cookiesIn('oauth_state='), { oauth_state: '' })
})

test('one that is given twice is neither of the two', () => {
  assert.deepEqual(cookiesIn('oauth_state=x; oauth_state=y'), { oauth_state: 'x, y' })
})
