import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { base32, newId, parseId } from './ids.ts'

const prefixes = ['sb', 'usr', 'team', 'key', 'host'] as const

test('a new id has its form, and only under its own prefix', () => {
  for (const prefix of prefixes) {
    const id = newId(prefix)
    assert.match(id, new RegExp(`^${prefix}-[a-z2-7]{20}$`))
    for (const other of prefixes) assert.equal(parseId(other, id), other === prefix ? id : undefined)
  }
})

test('what is not exactly an id is none', () => {
  const id = newId('sb')
  const wrong = [
    '',
    'sb-',
    id.toUpperCase(),
    `${id}a`,
    id.slice(0, -1),
    ` ${id}`,
    `${id}\n`,
    id.replace('-', '_'),
  ]
  for (const text of [...wrong, undefined, null, 5, [id]]) assert.equal(parseId('sb', text), undefined)
  fc.assert(fc.property(fc.string(), (text) => parseId('sb', text) === undefined))
})

test('any twenty bytes give twenty characters of the alphabet', () => {
  const bytes = fc.uint8Array({ minLength: 20, maxLength: 20 })
  fc.assert(fc.property(bytes, (some) => parseId('sb', `sb-${base32(some)}`) !== undefined))
})
