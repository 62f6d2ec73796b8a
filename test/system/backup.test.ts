// A platform's data folder is copied with the commands of docs/upgrading.md, lost, and restored: everything is there.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { MIB, pollUntil, run } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import { leftovers } from '../support/machine.ts'
import { TestPlatform } from '../support/real-platform.ts'
import { User } from '../support/user.ts'

type Sandbox = PublicSchemas['Sandbox']

const memoryMb = 256
const account = { email: 'operator@example.com', password: 'correct horse' }

let platform: TestPlatform
let backups: string
let user: User
/** Ids. */
let ran: string
let paused: string

before(async () => {
  backups = await realpath(await mkdtemp('/tmp/wb-'))
  platform = await TestPlatform.create({ WRENN_ON_STOP: 'pause' })
  user = await User.signUp(platform.url)
  await user.call('signup', 'POST', '/v1/auth/signup', account)
  ran = await living()
  paused = await living()
  assert.equal((await call('pauseSandbox', `/v1/sandboxes/${paused}/pause`)).status, 200)
  const body = { sandbox_id: await living(), name: 'kept' }
  assert.equal((await call('createSnapshot', '/v1/snapshots', body)).status, 201)
})

after(async () => {
  await platform?.remove()
  await rm(backups, { recursive: true })
})

function call(operation: string, path: string, body?: object): ReturnType<User['call']> {
  return user.call(operation, 'POST', path, body)
}

/** A sandbox with a file on its disk, one in memory, and a process. */
async function living(): Promise<string> {
  const { id } = await user.create({ memory_mb: memoryMb })
  await user.sh(
    id,
    'echo disk > /root/disk; echo memory > /run/memory; sleep 100000 >/dev/null 2>&1 & echo $! > /run/pid',
  )
  return id
}

async function assertLives(id: string): Promise<void> {
  assert.equal(await user.sh(id, 'kill -0 $(cat /run/pid) && cat /root/disk /run/memory'), 'disk\nmemory')
}

async function get(id: string): Promise<Sandbox> {
  return (await user.call('getSandbox', 'GET', `/v1/sandboxes/${id}`)).body as Sandbox
}

/** MiB that the files of a folder occupy, each once. */
async function occupiedMib(folder: string): Promise<number> {
  return Number((await run('du', ['-s', '--block-size=1M', folder])).stdout.split('\t')[0])
}

async function assertEverythingIsThere(): Promise<void> {
  const login = await call('login', '/v1/auth/login', account)
  assert.equal(login.status, 200, JSON.stringify(login.body))
  // What ran when the platform was stopped runs again, by itself.
  await pollUntil('it is resumed', async () => (await get(ran)).status === 'running' || undefined, {
    timeoutMs: 60_000,
  })
  await assertLives(ran)
  assert.equal((await get(paused)).status, 'paused')
  assert.equal((await call('resumeSandbox', `/v1/sandboxes/${paused}/resume`)).status, 200)
  await assertLives(paused)
  const clone = await user.create({ template: 'kept' })
  assert.equal(clone.status_reason, undefined)
  await assertLives(clone.id)
  await user.destroy(clone.id)
  assert.equal((await call('pauseSandbox', `/v1/sandboxes/${paused}/pause`)).status, 200)
}

/** Files that are several in one, and holes, must be so in the copy: both are what a plain copy would lose. */
async function assertAsSmall(copy: string): Promise<void> {
  const [original, copied] = await Promise.all([occupiedMib(platform.folder), occupiedMib(copy)])
  assert.ok(copied < original + 64, `${copied} MiB instead of ${original}`)
  const disk = join(copy, 'sandboxes', paused, 'vm', 'disk.img')
  const { size, blocks } = await stat(disk)
  assert.ok(size > 1024 * MIB && blocks * 512 < 256 * MIB, `${size} bytes in ${blocks} blocks`)
}

test('a data folder that was copied with cp -a and lost is restored in its place', async () => {
  await platform.interrupt()
  assert.match(platform.output, /1 sandbox: paused/)
  assert.deepEqual(await leftovers(platform.instance, platform.folder), [])
  const copy = join(backups, 'copy')
  await run('cp', ['-a', platform.folder, copy], { timeoutMs: 120_000 })
  await assertAsSmall(copy)
  await rm(platform.folder, { recursive: true })
  await run('cp', ['-a', copy, platform.folder], { timeoutMs: 120_000 })
  await rm(copy, { recursive: true })
  await platform.start()
  await assertEverythingIsThere()
})

test('an archive of tar -S is restored under another path, as on another machine with other uids', async () => {
  await platform.interrupt()
  const archive = join(backups, 'wrenn.tar')
  await run('tar', ['-cSf', archive, '-C', platform.folder, '.'], { timeoutMs: 120_000 })
  const moved = join(backups, 'm')
  await run('mkdir', ['-m', '711', moved])
  await run('chmod', ['711', backups])
  await run('tar', ['-xpSf', archive, '-C', moved], { timeoutMs: 120_000 })
  await assertAsSmall(moved)
  await run('chown', ['-R', '54321:54321', join(moved, 'postgres', 'data')])
  await platform.remove()
  platform = await TestPlatform.open(moved, { WRENN_ON_STOP: 'pause' })
  user = user.at(platform.url)
  assert.deepEqual((await user.list()).map(({ id }) => id).toSorted(), [ran, paused].toSorted())
  await assertEverythingIsThere()
  assert.ok((await readdir(join(moved, 'sandboxes'))).length >= 2)
  for (const id of [ran, paused]) await user.destroy(id)
})
