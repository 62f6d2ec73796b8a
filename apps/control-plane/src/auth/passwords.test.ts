import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dummyHash, hashPassword, verifyPassword } from './passwords.ts'

test('a password matches its own hash and no other does', async () => {
  const hash = await hashPassword('correct horse ü')
  assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  assert.equal(await verifyPassword('correct horse ü', hash), true)
  assert.equal(await verifyPassword('correct horse u', hash), false)
  assert.equal(await verifyPassword('', hash), false)
})

test('equal passwords have different hashes', async () => {
  assert.notEqual(await hashPassword('same'), await hashPassword('same'))
})

// Made with the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 4 -l 24 -e
test('a hash of the reference implementation with other parameters is understood', async () => {
  const hash = '$argon2id$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b1lMAimOzDhlzsr'
  assert.equal(typeof (await verifyPassword('password', hash)), 'boolean')
})

test('the dummy hash is one, with our parameters, and matches nothing', async () => {
  assert.equal(await verifyPassword('', dummyHash), false)
  const parameters = (hash: string) => hash.split('$').slice(1, 4)
  assert.deepEqual(parameters(dummyHash), parameters(await hashPassword('x')))
})

test('what is not a hash throws instead of matching', async () => {
  for (const hash of ['', 'plain', '$argon2i$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAA', '$2b$10$abc']) {
    await assert.rejects(verifyPassword('x', hash), /not argon2id/)
  }
})
