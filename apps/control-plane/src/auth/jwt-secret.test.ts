import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { keptJwtSecret } from './jwt-secret.ts'

let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wrenn-secret-'))
})

after(() => rm(folder, { recursive: true }))

test('ten starts at once agree on one secret and leave no other file', async () => {
  const dataFolder = join(folder, 'new')
  const secrets = await Promise.all(Array.from({ length: 10 }, () => keptJwtSecret(dataFolder)))
  assert.equal(new Set(secrets).size, 1)
  assert.match(secrets[0] ?? '', /^[0-9a-f]{64}$/)
  assert.deepEqual(await readdir(dataFolder), ['jwt-secret'])
})

test('a damaged file is a start error, not a weak secret', async () => {
  await writeFile(join(folder, 'jwt-secret'), '\n')
  await assert.rejects(keptJwtSecret(folder), {
    name: 'StartError',
    message: /holds fewer than 32 characters/,
  })
})
