// Against the real envd, in a folder of this machine.
import assert from 'node:assert/strict'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { AppError, pollUntil, run } from '@wrenn/base'
import { LocalEnvd } from './local-envd.ts'
import { watchFiles } from './watch.ts'

let envd: LocalEnvd
before(async () => {
  envd = await LocalEnvd.start()
})
after(() => envd.stop())

interface Line {
  event: string
  data: { type?: string; path?: string }
}

const timeoutMs = 30_000

/** Somebody who watches a folder. */
class Watcher {
  readonly lines: Line[] = []
  readonly leave = new AbortController()
  /** Undefined while it goes on. */
  end: 'ended' | { error: unknown } | undefined

  static async of(path: string, { recursive = false, from = envd } = {}): Promise<Watcher> {
    const watcher = new Watcher()
    const { signal } = watcher.leave
    const lines = await watchFiles(from.client, { path, recursive, signal })
    void watcher.#read(lines)
    await watcher.sees({ event: 'ready', data: {} })
    return watcher
  }

  change(type: string, path: string): Promise<void> {
    return this.sees({ event: 'change', data: { type, path } })
  }

  async sees(wanted: Line): Promise<void> {
    const text = JSON.stringify(wanted)
    const seen = (): true | undefined => this.lines.some((line) => JSON.stringify(line) === text) || undefined
    await pollUntil(`${text} among ${JSON.stringify(this.lines)}`, seen, { timeoutMs })
  }

  ended(): Promise<'ended' | { error: unknown }> {
    return pollUntil('the watching has ended', () => this.end, { timeoutMs })
  }

  async #read(lines: AsyncGenerator<Buffer>): Promise<void> {
    try {
      for await (const line of lines) this.lines.push(JSON.parse(line.toString()) as Line)
      this.end = 'ended'
    } catch (error) {
      this.end = { error }
    }
  }
}

async function folder(name: string): Promise<string> {
  const path = join(envd.folder, name)
  await mkdir(path)
  return path
}

test('every kind of change is told by its path, and the end of the folder is the end', async () => {
  const at = await folder('changes')
  const watcher = await Watcher.of(`${at}/`)
  await writeFile(join(at, 'a b\n🦜'), '')
  await watcher.change('create', join(at, 'a b\n🦜'))
  await writeFile(join(at, 'a b\n🦜'), 'text')
  await watcher.change('write', join(at, 'a b\n🦜'))
  await run('chmod', ['600', join(at, 'a b\n🦜')])
  await watcher.change('chmod', join(at, 'a b\n🦜'))
  await rename(join(at, 'a b\n🦜'), join(at, 'new'))
  await watcher.change('rename', join(at, 'a b\n🦜'))
  await watcher.change('create', join(at, 'new'))
  await rm(join(at, 'new'))
  await watcher.change('remove', join(at, 'new'))
  await mkdir(join(at, 'below'))
  await writeFile(join(at, 'below', 'unseen'), '')
  await rm(at, { recursive: true })
  assert.equal(await watcher.ended(), 'ended')
  assert.ok(!JSON.stringify(watcher.lines).includes('unseen'))
})

test('recursive, folders below are included, also those that come later', async () => {
  const at = await folder('tree')
  await mkdir(join(at, 'old'))
  const watcher = await Watcher.of(at, { recursive: true })
  await writeFile(join(at, 'old', 'one'), '')
  await watcher.change('create', join(at, 'old', 'one'))
  await mkdir(join(at, 'new', 'deep'), { recursive: true })
  await writeFile(join(at, 'new', 'deep', 'two'), '')
  await watcher.change('create', join(at, 'new', 'deep', 'two'))
  watcher.leave.abort()
  assert.equal(await watcher.ended(), 'ended')
})

test('who does not read is told that it missed something, and nothing after that', async () => {
  const at = await folder('slow')
  const { signal } = new AbortController()
  const lines = await watchFiles(envd.client, { path: at, recursive: false, signal })
  // More than every buffer on the way and the queue of the kernel hold.
  const name = 'x'.repeat(200)
  await run('sh', ['-c', `cd ${at} && seq -f '${name}%.0f' 1 20000 | xargs touch && touch last`], {
    timeoutMs: 120_000,
  })
  let overflows = 0
  for await (const line of lines) {
    const { event, data } = JSON.parse(line.toString()) as Line
    if (event === 'overflow') {
      overflows += 1
      await writeFile(join(at, 'after'), '')
    }
    if (data.path === join(at, 'after')) break
  }
  assert.ok(overflows >= 1)
})

test('a guest that is paused is the end; one that breaks off is an error', async () => {
  const other = await LocalEnvd.start()
  try {
    const paused = await Watcher.of('/tmp', { from: other })
    other.client.close(new AppError('invalid_state', 'sandbox sb-1 was paused'))
    assert.equal(await paused.ended(), 'ended')
  } finally {
    await other.stop()
  }
  const broken = await LocalEnvd.start()
  try {
    const watcher = await Watcher.of('/tmp', { from: broken })
    broken.kill()
    assert.notEqual(await watcher.ended(), 'ended')
  } finally {
    await broken.stop()
  }
})

test('what is no folder, or not there, is refused', async () => {
  const at = await folder('refusals')
  await writeFile(join(at, 'file'), '')
  const watch = (path: string): Promise<unknown> =>
    watchFiles(envd.client, { path, recursive: false, signal: new AbortController().signal })
  const isCode = (code: string) => (error: unknown) => error instanceof AppError && error.code === code
  await assert.rejects(watch(join(at, 'none')), isCode('not_found'))
  await assert.rejects(watch(join(at, 'file')), isCode('invalid_request'))
})
