import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { hashApiKey, newApiKey } from './api-key.ts'

test('a new key has the form of one and is found by its hash', () => {
  const { key, keyHash, keyPrefix } = newApiKey()
  assert.match(key, /^wrn_[0-9a-f]{40}$/)
  assert.equal(keyPrefix, `${key.slice(0, 12)}...`)
  assert.deepEqual(hashApiKey(key), keyHash)
  assert.equal(keyHash.length, 32)
})

test('anything else is no key', () => {
  const { key } = newApiKey()
  for (const text of ['', 'wrn_', key.toUpperCase(), `${key}0`, key.slice(1), ` ${key}`, `${key}\n`]) {
    assert.equal(hashApiKey(text), undefined, text)
  }
  fc.assert(fc.property(fc.string(), (text) => hashApiKey(text) === undefined))
})
