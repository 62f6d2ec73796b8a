import assert from 'node:assert/strict'
import { closeSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { logTail, rotateLog } from './log-file.ts'

describe('a log file', () => {
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wrenn-logs-'))
  })

  after(async () => {
    await rm(folder, { recursive: true })
  })

  it('that has grown too large is moved aside while its writer goes on', async () => {
    const path = join(folder, 'large.log')
    const writer = openSync(path, 'a')
    writeSync(writer, 'before\n')
    await rotateLog(path, 100)
    assert.equal(await readFile(path, 'utf8'), 'before\n')
    await rotateLog(path, 3)
    writeSync(writer, 'after\n')
    closeSync(writer)
    assert.equal(await readFile(`${path}.1`, 'utf8'), 'before\n')
    assert.equal(await readFile(path, 'utf8'), 'after\n')
  })

  it('shows its last lines since an offset, JSON as text', async () => {
    const path = join(folder, 'tail.log')
    const entry = { level: 50, msg: 'cannot listen', err: { message: 'EADDRINUSE' } }
    await writeFile(path, `older\nplain\n${JSON.stringify(entry)}\n{"broken\n`)
    assert.deepEqual(await logTail(path, 6), ['plain', 'cannot listen: EADDRINUSE', '{"broken'])
    assert.deepEqual(await logTail(path, 1_000), [])
    assert.deepEqual(await logTail(join(folder, 'none.log'), 0), [])
  })
})
