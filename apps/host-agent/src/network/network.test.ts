// With real namespaces, under instance ids of their own.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { createLogger, instanceId, run } from '@wrenn/base'
import { leftovers } from '../../../../test/support/machine.ts'
import { Network } from './network.ts'
import { listNetns, netnsPrefix, type Slot } from './slot.ts'

const readySlots = 2

interface Instance {
  folder: string
  id: string
  open: () => Promise<Network>
}

let instances: Instance[]
let opened: Network[]

beforeEach(() => {
  instances = []
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((network) => network.close().catch(() => undefined)))
  for (const { folder, id, open } of instances) {
    // Whatever a failed test has left: nobody adopts it, so it goes.
    if ((await leftovers(id, folder)).length > 0) {
      const cleaner = await open()
      await cleaner.sweep()
      await cleaner.close()
    }
    await rm(folder, { recursive: true })
  }
})

async function instance(): Promise<Instance> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'wn-')))
  await chmod(folder, 0o711)
  const id = instanceId(folder)
  const log = createLogger('test', 'silent')
  const open = async (): Promise<Network> => {
    const network = await Network.open({
      instance: id,
      dataFolder: folder,
      dns: ['192.0.2.53'],
      readySlots,
      log,
    })
    opened.push(network)
    return network
  }
  instances.push({ folder, id, open })
  return { folder, id, open }
}

async function namespaces({ id }: Instance): Promise<string[]> {
  return (await listNetns()).filter((name) => name.startsWith(netnsPrefix(id))).sort()
}

const inside = async (slot: Slot, ...command: string[]): Promise<string> =>
  (await run('ip', ['netns', 'exec', slot.netns, ...command])).stdout

test('every take gives a fresh slot, ready for a VM', async () => {
  const one = await instance()
  const network = await one.open()
  await network.refill()
  const slots = [await network.take()]
  await network.release(slots[0] ?? assert.fail())
  slots.push(...(await Promise.all([network.take(), network.take(), network.take(), network.take()])))
  for (const field of ['index', 'uid', 'netns', 'interface', 'hostIp'] as const)
    assert.equal(new Set(slots.map((slot) => slot[field])).size, slots.length, field)
  const slot = slots[4] ?? assert.fail()
  const tap = JSON.parse(await inside(slot, 'ip', '-json', '-details', 'link', 'show', 'tap0')) as {
    address: string
    linkinfo: { info_data: { user: string } }
  }[]
  assert.equal(tap[0]?.address, '02:fc:00:00:00:06')
  assert.equal(Number(tap[0]?.linkinfo.info_data.user), slot.uid)
  assert.equal((await inside(slot, 'cat', '/proc/sys/net/ipv4/ip_forward')).trim(), '1')
  const rules = await inside(slot, 'nft', 'list', 'ruleset')
  assert.match(rules, /policy drop/)
  assert.match(rules, /192\.0\.2\.53/)
  for (const slot of slots.slice(1)) await network.release(slot)
})

test('the pool is filled again, and a slot that is given back is gone', async () => {
  const one = await instance()
  const network = await one.open()
  await network.refill()
  assert.equal((await namespaces(one)).length, readySlots)
  const slot = await network.take()
  await network.refill()
  assert.equal((await namespaces(one)).length, readySlots + 1)
  await network.release(slot)
  await network.refill()
  assert.equal((await namespaces(one)).length, readySlots)
  assert.ok(!(await namespaces(one)).includes(slot.netns))
  await network.release(slot)
})

test('a close leaves nothing', async () => {
  const one = await instance()
  const network = await one.open()
  await network.refill()
  await network.release(await network.take())
  await network.close()
  assert.deepEqual(await leftovers(one.id, one.folder), [])
  await assert.rejects(network.take(), /closed/)
})

test('a slot in use outlives a close; the next network adopts it, and then a close leaves nothing', async () => {
  const one = await instance()
  const former = await one.open()
  const slot = await former.take()
  await former.close()
  assert.deepEqual(await namespaces(one), [slot.netns])

  const network = await one.open()
  assert.deepEqual(await network.adopt(slot.index), slot)
  assert.deepEqual(await network.sweep(), [])
  assert.deepEqual(await namespaces(one), [slot.netns])
  assert.notEqual((await network.take()).index, slot.index)
  await network.release(slot)
  assert.ok(!(await namespaces(one)).includes(slot.netns))
})

test('a sweep removes what nobody adopted, of its own instance only', async () => {
  const [one, other] = [await instance(), await instance()]
  const former = await one.open()
  const [kept, orphan] = [await former.take(), await former.take()]
  await former.close()
  const neighbour = await other.open()
  await neighbour.refill()

  const network = await one.open()
  await network.adopt(kept.index)
  assert.deepEqual(await network.sweep(), [orphan.netns])
  assert.deepEqual(await namespaces(one), [kept.netns])
  assert.equal((await namespaces(other)).length, readySlots)
})

test('a slot that cannot be adopted is not taken for one in use', async () => {
  const one = await instance()
  const network = await one.open()
  await assert.rejects(network.adopt(7))
  await network.close()
  assert.deepEqual(await leftovers(one.id, one.folder), [])
})

test('two instances have different addresses, and rules of their own', async () => {
  const [one, other] = [await instance(), await instance()]
  const [first, second] = await Promise.all([one.open(), other.open()])
  const slots = await Promise.all([first.take(), second.take()])
  assert.notEqual(slots[0].hostIp, slots[1].hostIp)
  assert.notEqual(slots[0].uid, slots[1].uid)
  await first.release(slots[0])
  await first.close()
  assert.match(await readFile('/proc/net/dev', 'utf8'), new RegExp(`${slots[1].interface}:`))
  await run('nft', ['list', 'table', 'inet', `wrenn_${other.id}`])
  await second.release(slots[1])
})
