import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { cached, fileHash } from './cache.ts'
import { pollUntil } from './deadline.ts'
import { processRef } from './processes.ts'

let root: string
let cache: string

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'wrenn-cache-'))
})
beforeEach(async () => {
  cache = join(await mkdtemp(join(root, 'test-')), 'cache')
})
after(() => rm(root, { recursive: true }))

/** A build that writes `text`, and counts. */
function writer(text: string): { build: (folder: string) => Promise<void>; count: () => number } {
  let count = 0
  return {
    build: async (folder) => {
      count += 1
      await writeFile(join(folder, 'result'), text)
    },
    count: () => count,
  }
}

const result = (folder: string): Promise<string> => readFile(join(folder, 'result'), 'utf8')

test('unchanged inputs are built once', async () => {
  const { build, count } = writer('one')
  const first = await cached(cache, 'thing', { texts: ['a'] }, build)
  assert.equal(await cached(cache, 'thing', { texts: ['a'] }, build), first)
  assert.equal(await result(first), 'one')
  assert.equal(count(), 1)
  assert.equal((await readdir(cache)).length, 1)
})

test('whatever changes in the inputs is built anew, beside the old', async () => {
  const input = join(cache, '..', 'input')
  await mkdir(join(input, 'sub'), { recursive: true })
  const folders = new Set<string>()
  const built = async (texts: string[]): Promise<void> => {
    folders.add(await cached(cache, 'thing', { texts, paths: [input] }, writer('x').build))
  }
  await built(['a', 'b'])
  await built(['ab'])
  await built(['a', 'b', ''])
  await writeFile(join(input, 'file'), 'x')
  await built(['a', 'b'])
  await writeFile(join(input, 'file'), 'y')
  await built(['a', 'b'])
  await rm(join(input, 'file'))
  await writeFile(join(input, 'sub', 'file'), 'y')
  await built(['a', 'b'])
  assert.equal(folders.size, 6)
  assert.equal((await readdir(cache)).length, 6)
})

test('a build that fails leaves nothing, and the next one is a new attempt', async () => {
  const failure = Object.assign(new Error('in the way'), { code: 'EEXIST' })
  const failing = async (folder: string): Promise<void> => {
    await writeFile(join(folder, 'result'), 'half')
    throw failure
  }
  await assert.rejects(cached(cache, 'thing', { texts: ['a'] }, failing), (error) => error === failure)
  assert.deepEqual(await readdir(cache), [])
  assert.equal(await result(await cached(cache, 'thing', { texts: ['a'] }, writer('whole').build)), 'whole')
})

test('a build that is killed leaves nothing that counts, and the next build removes it', async () => {
  const script = `
    import { cached } from ${JSON.stringify(join(import.meta.dirname, 'cache.ts'))}
    import { writeFile } from 'node:fs/promises'
    await cached(${JSON.stringify(cache)}, 'thing', { texts: ['a'] }, async (folder) => {
      await writeFile(folder + '/result', 'half')
      console.log('building')
      process.kill(process.pid, 'SIGKILL')
    })`
  const builder = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  await new Promise((resolve) => builder.once('close', resolve))
  assert.equal(builder.signalCode, 'SIGKILL')
  const left = await readdir(cache)
  assert.equal(left.length, 1)
  assert.match(left[0] ?? '', /^\.thing\.building\./)
  const folder = await cached(cache, 'thing', { texts: ['a'] }, writer('whole').build)
  assert.equal(await result(folder), 'whole')
  assert.equal((await readdir(cache)).length, 1)
})

test('what another process still builds is left alone, what a former owner of its pid built is not', async () => {
  const other = processRef(process.ppid)
  assert.ok(other)
  const alive = `.thing.building.${other.pid}.${other.startTime}.0`
  const abandoned = `.thing.building.${other.pid}.${Number(other.startTime) - 1}.0`
  const named = `.other-thing.building.${other.pid}.1.0`
  for (const name of [alive, abandoned, named]) await mkdir(join(cache, name), { recursive: true })
  await cached(cache, 'thing', { texts: ['a'] }, writer('x').build)
  const left = (await readdir(cache)).filter((name) => name.startsWith('.')).sort()
  assert.deepEqual(left, [named, alive].sort())
})

test('builders of the same and of other inputs do not disturb each other', async () => {
  const building = new Set<number>()
  const everybody = 6
  const folders = await Promise.all(
    Array.from({ length: everybody }, (_, index) =>
      cached(cache, 'thing', { texts: [`${index % 3}`] }, async (folder) => {
        building.add(index)
        await writeFile(join(folder, 'result'), `${index % 3}`)
        await pollUntil('all build', () => building.size === everybody || undefined, { timeoutMs: 10_000 })
      }),
    ),
  )
  for (const [index, folder] of folders.entries()) assert.equal(await result(folder), `${index % 3}`)
  assert.equal((await readdir(cache)).length, 3)
})

test("a file's hash tells its content, not its name", async () => {
  await mkdir(cache)
  for (const [name, text] of Object.entries({ a: 'same', b: 'same', c: 'other' }))
    await writeFile(join(cache, name), text)
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => fileHash(join(cache, name))))
  assert.equal(a, b)
  assert.notEqual(a, c)
})
