import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorCodeText, providerErrorText } from './error-text.ts'

const secret = 'gho_s3cret'

test('errors that quote what they were given are named only', () => {
  const thrown = [
    () => JSON.parse(`{"access_token": ${secret}`),
    () => new Headers({ authorization: `Bearer ${secret}\nx` }),
    () => new URL(secret),
  ].map((work) => {
    try {
      work()
      return assert.fail('nothing was thrown')
    } catch (error) {
      return error as Error
    }
  })
  assert.ok(thrown.some(({ message }) => message.includes(secret)))
  for (const cause of thrown) {
    const text = providerErrorText(new Error('the call failed', { cause }))
    assert.equal(text, `the call failed: ${cause.name}`)
  }
})

test('a failure of the network says which', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:2'), { code: 'ECONNREFUSED' })
  const cause = new TypeError('fetch failed', { cause: refused })
  assert.equal(
    providerErrorText(new Error('the call failed', { cause })),
    'the call failed: TypeError: connect ECONNREFUSED 127.0.0.1:2',
  )
})

test('what a provider calls its refusal is said when it is an error code, and not otherwise', () => {
  const refusal = Object.assign(new Error('refused', { cause: { error: secret } }), {
    error: 'bad_verification_code',
  })
  assert.equal(providerErrorText(refusal), 'refused (bad_verification_code)')
  for (const code of [secret, '', 'a'.repeat(65), 'a\nb', undefined, {}])
    assert.equal(errorCodeText(code), 'no error code')
  assert.equal(providerErrorText('gho'), 'something that is no error')
})
