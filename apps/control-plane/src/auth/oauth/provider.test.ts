import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeChallengeOf, nonceOf } from './provider.ts'

test('a challenge is the one of RFC 7636, appendix B', () => {
  assert.equal(
    codeChallengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'),
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  )
})

test('a nonce belongs to one challenge and does not tell it', () => {
  const challenges = ['a', 'b'].map(codeChallengeOf)
  const nonces = challenges.map(nonceOf)
  assert.equal(new Set([...challenges, ...nonces]).size, 4)
  assert.equal(nonceOf(challenges[0] ?? ''), nonces[0])
})
