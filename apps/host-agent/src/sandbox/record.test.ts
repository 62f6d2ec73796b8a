import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { newId } from '@wrenn/base'
import { vmFiles } from '../storage/layout.ts'
import { changed, readRecord, writeRecord, type SandboxRecord } from './record.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wrenn-record-'))
})
after(() => rm(folder, { recursive: true }))

const record: SandboxRecord = {
  version: 2,
  id: newId('sb'),
  template: 'minimal',
  rootfs: 'abc.erofs',
  vcpus: 1,
  memoryMib: 512,
  timeoutSec: 300,
  onTimeout: 'pause',
  generation: 1,
  token: 'ab'.repeat(32),
  machineId: '0123456789abcdef0123456789abcdef',
  state: {
    kind: 'live',
    memory: 'base',
    slot: 7,
    process: { pid: 4711, startTime: '123456' },
    startedAt: '2026-01-01T00:00:00.000Z',
  },
}

test('a record is read as it was written, and only root can', async () => {
  await writeRecord(folder, record)
  assert.deepEqual(await readRecord(folder), record)
  assert.equal((await stat(vmFiles(folder).state)).mode & 0o777, 0o600)
  const next = changed(record, { kind: 'cold', reason: 'the machine went down' })
  await writeRecord(folder, next)
  assert.deepEqual(await readRecord(folder), { ...next, generation: 2 })
  assert.deepEqual(await readdir(folder), ['state.json'])
})

test('what this version cannot read is an error, not a sandbox that is not there', async () => {
  const texts = [
    '',
    '{',
    'null',
    '[]',
    JSON.stringify({ ...record, version: 3 }),
    JSON.stringify({ ...record, state: { kind: 'live' } }),
    JSON.stringify({ ...record, token: undefined }),
  ]
  for (const text of texts) {
    await writeFile(vmFiles(folder).state, text)
    await assert.rejects(readRecord(folder), text)
  }
})

test('a folder without a record, or that is no folder, has none', async () => {
  await rm(vmFiles(folder).state)
  assert.equal(await readRecord(folder), undefined)
  assert.equal(await readRecord(join(folder, 'none')), undefined)
})
