import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { isErrno, readFileIfThere, writeFileDurable } from './files.ts'

let root: string
let folder: string

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'wrenn-files-'))
})
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'test-'))
})
after(() => rm(root, { recursive: true }))

test('a file gets its content and its mode, and nothing else is left', async () => {
  await writeFileDurable(join(folder, 'secret'), 'text')
  await writeFileDurable(join(folder, 'public'), Buffer.from([0, 255]), 0o644)
  assert.equal(await readFileIfThere(join(folder, 'secret')), 'text')
  assert.deepEqual(await readFile(join(folder, 'public')), Buffer.from([0, 255]))
  assert.equal((await stat(join(folder, 'secret'))).mode & 0o777, 0o600)
  assert.equal((await stat(join(folder, 'public'))).mode & 0o777, 0o644)
  assert.deepEqual((await readdir(folder)).sort(), ['public', 'secret'])
})

test('the mode holds whatever the umask is and the file before was', async () => {
  const path = join(folder, 'file')
  await writeFile(path, 'old', { mode: 0o600 })
  const umask = process.umask(0o077)
  try {
    await writeFileDurable(path, 'new', 0o644)
  } finally {
    process.umask(umask)
  }
  assert.equal((await stat(path)).mode & 0o777, 0o644)
})

test('a reader sees the old content or the new, never a part', async () => {
  const path = join(folder, 'file')
  const contents = ['a', 'b', 'c'].map((letter) => letter.repeat(1_000_000))
  const last = contents.at(-1) ?? ''
  await writeFileDurable(path, contents[0] ?? '')
  const seen = new Set<string>()
  const reading = (async () => {
    while (!seen.has(last)) seen.add((await readFileIfThere(path)) ?? 'nothing')
  })()
  for (const content of contents) await writeFileDurable(path, content)
  await reading
  for (const content of seen) assert.ok(contents.includes(content), `${content.length} characters`)
})

test('of several writes at once one wins, whole', async () => {
  const path = join(folder, 'file')
  const contents = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(100_000))
  await Promise.all(contents.map((content) => writeFileDurable(path, content)))
  assert.ok(contents.includes((await readFileIfThere(path)) ?? ''))
  assert.deepEqual(await readdir(folder), ['file'])
})

test('a write that fails leaves nothing, and the target as it was', async () => {
  const target = join(folder, 'target')
  await mkdir(join(target, 'in-the-way'), { recursive: true })
  await assert.rejects(writeFileDurable(target, 'text'), (error) => isErrno(error, 'EISDIR'))
  assert.deepEqual(await readdir(folder), ['target'])
  assert.deepEqual(await readdir(target), ['in-the-way'])
})

test('a file that is not there is undefined, any other failure is thrown', async () => {
  assert.equal(await readFileIfThere(join(folder, 'none')), undefined)
  await assert.rejects(readFileIfThere(folder), (error) => isErrno(error, 'EISDIR'))
})
