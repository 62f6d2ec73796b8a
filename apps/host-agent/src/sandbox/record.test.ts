import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { newId } from '@wrenn/base'
import { vmFiles } from '../storage/layout.ts'
import { readRecord, writeRecord, type SandboxRecord } from './record.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wrenn-record-'))
})
after(() => rm(folder, { recursive: true }))

const record: SandboxRecord = {
  version: 1,
  id: newId('sb'),
  template: 'minimal',
  vcpus: 1,
  memoryMib: 512,
  golden: '0123456789abcdef0123',
  slot: 7,
  token: 'ab'.repeat(32),
  process: { pid: 4711, startTime: '123456' },
  startedAt: '2026-01-01T00:00:00.000Z',
}

test('a record is read as it was written, and only root can', async () => {
  await writeRecord(folder, record)
  assert.deepEqual(await readRecord(folder), record)
  assert.equal((await stat(vmFiles(folder).state)).mode & 0o777, 0o600)
  await writeRecord(folder, { ...record, slot: 8 })
  assert.equal((await readRecord(folder))?.slot, 8)
  assert.deepEqual(await readdir(folder), ['state.json'])
})

test('what this version cannot read is no record', async () => {
  const texts = [
    '',
    '{',
    'null',
    '[]',
    JSON.stringify({ ...record, version: 2 }),
    JSON.stringify({ ...record, process: { pid: 4711 } }),
    JSON.stringify({ ...record, token: undefined }),
  ]
  for (const text of texts) {
    await writeFile(vmFiles(folder).state, text)
    assert.equal(await readRecord(folder), undefined, text)
  }
})

test('a folder without a record, or that is no folder, has none', async () => {
  await rm(vmFiles(folder).state)
  assert.equal(await readRecord(folder), undefined)
  assert.equal(await readRecord(join(folder, 'none')), undefined)
})
