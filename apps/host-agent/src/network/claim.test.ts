import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { run } from '@wrenn/base'
import { blockCidr, slotsPerBlock } from './addresses.ts'
import { claimBlock, type Claim } from './claim.ts'

let root: string
let claims: string
let bootId: string

before(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'wrenn-claims-')))
  bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
})
beforeEach(async () => {
  claims = join(await mkdtemp(join(root, 'test-')), 'blocks')
})
after(() => rm(root, { recursive: true }))

async function dataFolder(name: string): Promise<string> {
  const folder = join(root, name)
  await mkdir(folder, { recursive: true })
  return folder
}

/** Every interface begins with nothing: so none of this machine's routes is in the way of a claim. */
const allOurs = ''

async function claim(name: string, interfacePrefix = allOurs): Promise<Claim> {
  return claimBlock(await dataFolder(name), interfacePrefix, claims)
}

/** Runs `work` while the machine has these routes. */
async function withRoutes(routes: string[][], work: () => Promise<void>): Promise<void> {
  const link = `wrenn${process.pid}`
  await run('ip', ['tuntap', 'add', link, 'mode', 'tap'])
  try {
    await run('ip', ['link', 'set', link, 'up'])
    for (const route of routes) await run('ip', ['route', 'add', ...route, 'dev', link])
    await work()
  } finally {
    await run('ip', ['link', 'del', link])
  }
}

async function ownerOf(block: number): Promise<string> {
  return readFile(join(claims, String(block)), 'utf8')
}

test('two folders have different blocks, and user ids that no two slots share', async () => {
  const [one, other] = [await claim('one'), await claim('other')]
  assert.notEqual(one.block, other.block)
  const uids = [one, other].flatMap(({ uid }) => [uid(0), uid(1), uid(slotsPerBlock - 1)])
  assert.equal(new Set(uids).size, 6)
  for (const uid of uids) assert.ok(uid >= 0x70000000 && uid < 0x7fffffff)
})

test('a folder that still has a claim gets the same block again', async () => {
  await claim('one')
  const before = await claim('two')
  await claim('three')
  const again = await claim('two')
  assert.equal(again.block, before.block)
  assert.equal(again.uid(7), before.uid(7))
})

test('a claim that is released is free for the next, and nothing is left of the last', async () => {
  const one = await claim('one')
  await one.release()
  const other = await claim('other')
  assert.equal(other.block, one.block)
  await other.release()
  assert.deepEqual(await readdir(claims), [])
})

test('releasing what somebody else has by now takes nothing away', async () => {
  const one = await claim('gone')
  await rm(join(root, 'gone'), { recursive: true })
  const other = await claim('other')
  assert.equal(other.block, one.block)
  await one.release()
  assert.equal(await ownerOf(other.block), `${bootId} ${join(root, 'other')}`)
})

test('a claim from before a reboot, or of a folder that is gone, is taken over', async () => {
  const { block, release } = await claim('one')
  await release()
  for (const stale of [
    `another-boot ${join(root, 'one')}`,
    `${bootId} ${join(root, 'no such folder')}`,
    '',
  ]) {
    await writeFile(join(claims, String(block)), stale)
    const taken = await claim('two')
    assert.equal(taken.block, block)
    assert.equal(await ownerOf(block), `${bootId} ${join(root, 'two')}`)
    await taken.release()
  }
})

test('a folder with spaces in its name is found', async () => {
  const { block } = await claim('my data folder')
  assert.notEqual((await claim('other')).block, block)
  assert.equal((await claim('my data folder')).block, block)
})

test('ten that claim at once all get a block of their own, also over stale claims', async () => {
  for (let round = 0; round < 3; round++) {
    await mkdir(claims, { recursive: true })
    for (let block = 0; block < 10; block += 2)
      await writeFile(join(claims, String(block)), 'another-boot /x')
    const names = Array.from({ length: 10 }, (_, index) => `folder-${index}`)
    const made = await Promise.all(names.map((name) => claim(name)))
    assert.equal(new Set(made.map(({ block }) => block)).size, 10)
    for (const [index, { block }] of made.entries())
      assert.equal(await ownerOf(block), `${bootId} ${join(root, `folder-${index}`)}`)
    await rm(claims, { recursive: true })
  }
})

test('a block that the machine routes elsewhere is left alone, slots of our own are no obstacle', async () => {
  const { block, release } = await claim('one')
  await release()
  // A part of the block. Slots of others in it have more specific routes, and keep them.
  await withRoutes([[blockCidr(block).replace('/20', '/24')]], async () => {
    const other = await claim('one', 'wother-')
    assert.notEqual(other.block, block)
    await other.release()
    assert.equal((await claim('one')).block, block)
  })
})

test('a default route in two halves, as VPNs set it, is no obstacle', async () => {
  // In a table that no rule looks into: nothing is really routed there.
  const halves = ['0.0.0.0/1', '128.0.0.0/1'].map((half) => [half, 'table', '7707'])
  await withRoutes(halves, async () => void (await claim('one', 'wother-')))
})
