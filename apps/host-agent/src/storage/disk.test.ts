import assert from 'node:assert/strict'
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import { isErrno, KIB, MIB, run } from '@wrenn/base'
import { buildGo } from '@wrenn/images'
import { cloneSparse, dataExtents, formatDisk, type Extent } from './disk.ts'

const cacheDir = process.env['WRENN_CACHE_DIR'] ?? '/var/cache/wrenn'
const source = join(import.meta.dirname, '..', '..', 'hostkit')

let hostkit: string
let folder: string
before(async () => {
  hostkit = await buildGo(cacheDir, 'hostkit', source)
  folder = await mkdtemp(join(tmpdir(), 'wrenn-disk-'))
})
after(() => rm(folder, { recursive: true }))

let files = 0
const newPath = (): string => join(folder, `file-${files++}`)

async function sparseFile(sizeBytes: number, parts: readonly Extent[]): Promise<string> {
  const path = newPath()
  const file = await open(path, 'wx')
  try {
    await file.truncate(sizeBytes)
    for (const [index, { offset, length }] of parts.entries())
      await file.write(Buffer.alloc(length, (index % 255) + 1), 0, length, offset)
  } finally {
    await file.close()
  }
  return path
}

async function allocatedBytes(path: string): Promise<number> {
  const file = await open(path, 'r')
  await file.sync()
  await file.close()
  return (await stat(path)).blocks * 512
}

async function assertSameAndAsSparse(source: string, clone: string): Promise<void> {
  assert.equal((await stat(clone)).size, (await stat(source)).size)
  await run('cmp', [source, clone])
  assert.ok((await allocatedBytes(clone)) <= (await allocatedBytes(source)))
}

const sizeBytes = 8 * MIB
const anyParts = fc.array(
  fc
    .record({ offset: fc.nat(sizeBytes - 1), length: fc.integer({ min: 1, max: 700 * KIB }) })
    .map(({ offset, length }) => ({ offset, length: Math.min(length, sizeBytes - offset) })),
  { maxLength: 6 },
)

test('any sparse file is cloned byte by byte, and the clone takes no more room', async () => {
  await fc.assert(
    fc.asyncProperty(anyParts, async (parts) => {
      const source = await sparseFile(sizeBytes, parts)
      const clone = newPath()
      await cloneSparse(source, clone, await dataExtents(hostkit, source))
      await assertSameAndAsSparse(source, clone)
      await Promise.all([rm(source), rm(clone)])
    }),
    { numRuns: 20 },
  )
})

test('the extents are in order, apart, and hold all that was written', async () => {
  const parts = [
    { offset: 5 * MIB, length: 10 },
    { offset: 0, length: 1 },
    { offset: sizeBytes - 1, length: 1 },
  ]
  const extents = await dataExtents(hostkit, await sparseFile(sizeBytes, parts))
  let end = -1
  for (const extent of extents) {
    assert.ok(extent.offset > end && extent.length > 0)
    end = extent.offset + extent.length
  }
  for (const part of parts)
    assert.ok(
      extents.some(
        ({ offset, length }) => offset <= part.offset && part.offset + part.length <= offset + length,
      ),
    )
})

test('a file without data, and an empty one, are cloned too', async () => {
  for (const size of [0, sizeBytes]) {
    const source = await sparseFile(size, [])
    assert.deepEqual(await dataExtents(hostkit, source), [])
    const clone = newPath()
    await cloneSparse(source, clone, [])
    await assertSameAndAsSparse(source, clone)
  }
})

test('a formatted disk has the size that it is given, takes little room, and its clone is a sound filesystem', async () => {
  const path = newPath()
  await formatDisk(path, 1024)
  assert.equal((await stat(path)).size, 1024 * MIB)
  assert.ok((await allocatedBytes(path)) < 64 * MIB)
  const clone = newPath()
  await cloneSparse(path, clone, await dataExtents(hostkit, path))
  await run('e2fsck', ['-fn', clone])
})

test('a disk is never formatted over another file', async () => {
  const path = await sparseFile(10, [{ offset: 0, length: 10 }])
  await assert.rejects(formatDisk(path, 256), (error) => isErrno(error, 'EEXIST'))
  assert.equal((await readFile(path)).length, 10)
})

test('extents beyond the end of the file are an error, not zeros', async () => {
  const source = await sparseFile(KIB, [{ offset: 0, length: KIB }])
  // Where the filesystem can share blocks, extents are not looked at.
  const outcome = await cloneSparse(source, newPath(), [{ offset: 0, length: 2 * KIB }]).catch(String)
  assert.ok(outcome === undefined || /the disk ends before 2048 bytes/.test(outcome))
})

test('a file that is not there has no extents', async () => {
  await assert.rejects(dataExtents(hostkit, newPath()), /no such file/)
})
