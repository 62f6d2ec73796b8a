// Pauses on a data folder whose filesystem is really full, with real VMs: nothing is lost, nothing is left, and the sandbox
// runs on until there is room. The filesystem is a tmpfs of the test's own.
import assert from 'node:assert/strict'
import { mkdir, readdir, rm, rmdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import {
  DeadlineError,
  errorText,
  MIB,
  newId,
  pollUntil,
  run,
  withDeadline,
  type SandboxId,
} from '@wrenn/base'
import type { Sandboxes } from './sandboxes.ts'
import { size, TestHost } from './test-host.ts'

/** Holds the root filesystem, a golden, and what a few sandboxes of the smallest size write. */
const tmpfsMib = 768
/** In the guest's memory, so that a delta is larger. */
const memoryMib = 24
/** So much is left for what the guest itself writes to its disk. */
const leftMib = 8

let mounted: string
let filler: string
let host: TestHost

before(async () => {
  mounted = await TestHost.folder()
  filler = join(mounted, 'filler')
  await run('mount', ['-t', 'tmpfs', '-o', `size=${tmpfsMib}m,mode=0711`, 'wrenn-test', mounted])
  const folder = join(mounted, 'data')
  await mkdir(folder, { mode: 0o711 })
  host = await TestHost.open(folder)
})

afterEach(() => rm(filler, { force: true }))

after(async () => {
  await host?.remove()
  await run('umount', [mounted])
  await rmdir(mounted)
})

/** Leaves so many MiB, or none when there are fewer. */
async function fill(left: number): Promise<void> {
  const { bavail, bsize } = await statfs(mounted)
  await run('fallocate', ['-l', String(Math.max(bavail * bsize - left * MIB, 1)), filler])
}

async function sh(sandboxes: Sandboxes, id: SandboxId, script: string): Promise<string> {
  const result = await sandboxes.guest.exec(id, { cmd: 'sh', args: ['-c', script], timeoutSec: 60 })
  assert.equal(result.exitCode, 0, result.stderr)
  return result.stdout.trim()
}

const checksum = 'sha256sum < /run/large'

test('a pause that finds no room is refused, the sandbox runs on, and it is paused once there is room', async () => {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  const { folder, vm } = await sandboxes.create({ id, ...size })
  const sum = await sh(
    sandboxes,
    id,
    `head -c ${memoryMib * MIB} /dev/urandom > /run/large; sync; ${checksum}`,
  )
  const files = await readdir(folder, { recursive: true })
  await fill(leftMib)
  for (const attempt of ['first', 'second']) {
    await assert.rejects(sandboxes.pause(id), { code: 'no_capacity', message: /no room to pause/ })
    assert.equal(sandboxes.get(id).status, 'running')
    assert.deepEqual(await readdir(folder, { recursive: true }), files)
    await sh(sandboxes, id, `echo ${attempt} >> /root/log; sync`)
  }
  const state = sandboxes.get(id)
  assert.ok(state.status === 'running' && state.live.vm === vm)
  await rm(filler)
  await sandboxes.pause(id)
  await sandboxes.resume(id)
  assert.equal(await sh(sandboxes, id, checksum), sum)
  assert.equal(await sh(sandboxes, id, 'cat /root/log'), 'first\nsecond')
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('a guest that writes while there is no room stands, and goes on with its write once there is', async () => {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  await fill(0)
  const writing = sh(
    sandboxes,
    id,
    'head -c 16777216 /dev/urandom > /root/big && sync && sha256sum < /root/big',
  )
  await pollUntil(
    'the guest stands',
    async () => {
      const answer = sandboxes.guest.exec(id, { cmd: 'true', args: [], timeoutSec: 60 })
      // Asked while it stands, it answers when it goes on.
      const silent = withDeadline('it answers', 3_000, answer).then(
        () => undefined,
        (error: unknown) => error instanceof DeadlineError || undefined,
      )
      return (await silent) && true
    },
    { timeoutMs: 60_000 },
  )
  await rm(filler)
  const sum = await writing
  assert.equal(await sh(sandboxes, id, 'sha256sum < /root/big'), sum)
  await sandboxes.pause(id)
  await sandboxes.resume(id)
  assert.equal(await sh(sandboxes, id, 'sha256sum < /root/big'), sum)
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('a resume that finds no room to fold leaves the sandbox paused and whole', async () => {
  const sandboxes = host.sandboxes({
    storage: {
      ...host.parts.storage,
      // The delta found room, a copy of the template's memory beside it does not.
      cloneFile: async (source, target) => {
        await rm(filler, { force: true })
        await fill(leftMib)
        await host.parts.storage.cloneFile(source, target)
      },
    },
  })
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  const sum = await sh(sandboxes, id, `head -c ${memoryMib * MIB} /dev/urandom > /run/large; ${checksum}`)
  await sandboxes.pause(id)
  await sandboxes.folded()
  await assert.rejects(sandboxes.resume(id), (error: Error) => {
    assert.match(errorText(error.cause), /no space left/i)
    return true
  })
  assert.equal(sandboxes.get(id).status, 'paused')
  await rm(filler)
  const next = await host.restart()
  await next.resume(id)
  assert.equal(await sh(next, id, checksum), sum)
  await next.destroy(id)
  await host.assertNothingLeft(next)
})
