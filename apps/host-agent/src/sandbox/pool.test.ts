// Ready VMs, with real VMs: a create that takes one has a sandbox like any other, sooner.
import assert from 'node:assert/strict'
import { after, afterEach, before, mock, test } from 'node:test'
import { AppError, isAlive, newId, pollUntil, type SandboxId } from '@wrenn/base'
import type { Parts } from './parts.ts'
import type { Sandboxes } from './sandboxes.ts'
import { boom, size, TestHost, withMethods } from './test-host.ts'

const deadline = { timeoutMs: 60_000 }

let host: TestHost
let sandboxes: Sandboxes

before(async () => {
  host = await TestHost.open()
})

after(() => host.remove())

afterEach(async () => {
  mock.timers.reset()
  await sandboxes.pool.close()
  for (const { id } of sandboxes.list()) await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

/** An agent whose pool is full. */
async function open(poolSize: number, replace: Partial<Parts> = {}): Promise<void> {
  sandboxes = host.sandboxes(replace, host.goldens, poolSize)
  sandboxes.pool.expect(size)
  await full(poolSize)
}

async function full(count: number): Promise<void> {
  await pollUntil('the pool is full', () => sandboxes.pool.counts.ready === count || undefined, deadline)
}

async function vmFolders(): Promise<string[]> {
  const { driver, folders } = host.parts
  return (await driver.list(folders.sandboxes)).map(({ folder }) => folder).toSorted()
}

async function create(): Promise<SandboxId> {
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  return id
}

async function sh(id: SandboxId, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await sandboxes.guest.exec(id, {
    cmd: 'sh',
    args: ['-c', script],
    timeoutSec: 60,
  })
  assert.equal(exitCode, 0, stderr)
  return stdout.trim()
}

test('a create takes a ready VM, and another one takes its place', async () => {
  await open(1)
  const [ready] = await vmFolders()
  const id = newId('sb')
  const { folder } = await sandboxes.create({ id, ...size })
  assert.equal(folder, ready)
  await full(1)
  assert.equal((await vmFolders()).length, 2)
})

test('sandboxes from the pool differ as others do: identity, entropy, clock, slot', async () => {
  await open(2)
  const ids = [await create(), await create()]
  const seen = await Promise.all(
    ids.map(async (id) => {
      const asked = Date.now()
      const clock = Number(await sh(id, 'date +%s%3N'))
      assert.ok(clock > asked - 500 && clock < Date.now() + 500, `${clock - asked} ms off`)
      assert.equal(await sh(id, 'hostname'), id)
      const state = sandboxes.get(id)
      assert.equal(state.status, 'running')
      const { record, slot } = state.live
      const machineId = await sh(id, 'cat /etc/machine-id')
      assert.equal(machineId, record.machineId)
      return [machineId, await sh(id, 'head -c 16 /dev/urandom | od -An -tx1'), record.token, slot.netns]
    }),
  )
  for (const property of seen[0]?.keys() ?? [])
    assert.notEqual(seen[0]?.[property], seen[1]?.[property], String(property))
})

test('a sandbox from the pool is paused, resumed and adopted like any other', async () => {
  await open(1)
  const id = await create()
  await sh(id, 'echo here > /run/memory')
  await sandboxes.pause(id)
  await sandboxes.resume(id)
  assert.equal(await sh(id, 'cat /run/memory'), 'here')
})

test('a burst takes what there is and makes the rest', async () => {
  await open(2)
  const ids = await Promise.all([1, 2, 3, 4, 5].map(() => create()))
  assert.equal(new Set(ids).size, 5)
  for (const id of ids) assert.equal(await sh(id, 'hostname'), id)
})

test('it holds what the last creates asked for, and never more than configured', async () => {
  await open(2)
  const larger = { ...size, memoryMib: 256 }
  for (let count = 0; count < 2; count++) await sandboxes.create({ id: newId('sb'), ...larger })
  await pollUntil(
    'the pool holds the larger ones',
    async () => {
      assert.ok((await vmFolders()).length <= 4, 'more than configured')
      return (await takeAll(larger)) === 2 || undefined
    },
    deadline,
  )
})

/** How many VMs of this size are ready; they are given up. */
async function takeAll(wish: typeof size): Promise<number> {
  if (sandboxes.pool.counts.ready < 2) return 0
  const { key } = await host.goldens.prepare(wish)
  const taken = [sandboxes.pool.take(key), sandboxes.pool.take(key)].filter((vm) => vm !== undefined)
  for (const vm of taken) await sandboxes.pool.giveBack(vm)
  return taken.length
}

test('a ready VM that dies is not handed out', async () => {
  await open(1)
  const [vm] = await host.parts.driver.list(host.parts.folders.sandboxes)
  assert.ok(vm)
  process.kill(vm.process.pid, 'SIGKILL')
  await pollUntil('it is gone', () => !isAlive(vm.process) || undefined, deadline)
  const id = await create()
  assert.equal(await sh(id, 'hostname'), id)
})

test('a ready VM that fails when it is taken is replaced by one made for the create', async () => {
  let failing = false
  const { connectGuest } = host.parts
  await open(1, {
    connectGuest: (address, token) => {
      const envd = connectGuest(address, token)
      const first = !failing
      return withMethods(envd, {
        init: async (identity, options) => (failing && first ? boom() : envd.init(identity, options)),
      })
    },
  })
  failing = true
  const id = await create()
  assert.equal(await sh(id, 'hostname'), id)
})

/** An agent with a full pool whose minutes the test decides; `touches` counts commands in its ready VMs. */
async function openWithMinutes(poolSize: number): Promise<{ touches: () => number }> {
  mock.timers.enable({ apis: ['setInterval'] })
  const { connectGuest } = host.parts
  let quiesced = 0
  await open(poolSize, {
    connectGuest: (address, token) => {
      const envd = connectGuest(address, token)
      return withMethods(envd, {
        quiesce: async (options) => {
          await envd.quiesce(options)
          quiesced += 1
        },
      })
    },
  })
  const made = quiesced
  return { touches: () => quiesced - made }
}

test('ready VMs are touched every minute, and handed out all the same', async () => {
  const { touches } = await openWithMinutes(1)
  const [ready] = await vmFolders()
  mock.timers.tick(59_999)
  const touched = (count: number): Promise<true> =>
    pollUntil('it is touched', () => touches() === count || undefined, deadline)
  for (const count of [1, 2]) {
    mock.timers.tick(count === 1 ? 1 : 60_000)
    await touched(count)
    await full(1)
    assert.deepEqual(await vmFolders(), [ready])
  }
  const id = newId('sb')
  const { folder } = await sandboxes.create({ id, ...size })
  assert.equal(folder, ready)
  assert.equal(await sh(id, 'hostname'), id)
})

test('a ready VM that no longer answers when it is touched is replaced', async () => {
  await openWithMinutes(1)
  const [silent] = await host.parts.driver.list(host.parts.folders.sandboxes)
  assert.ok(silent)
  process.kill(silent.process.pid, 'SIGSTOP')
  mock.timers.tick(60_000)
  await pollUntil(
    'another one is ready in its place',
    async () => {
      const folders = await vmFolders()
      return (sandboxes.pool.counts.ready === 1 && !folders.includes(silent.folder)) || undefined
    },
    deadline,
  )
  assert.ok(!isAlive(silent.process))
  const [replacement] = await vmFolders()
  const id = newId('sb')
  const { folder } = await sandboxes.create({ id, ...size })
  assert.equal(folder, replacement)
  assert.equal(await sh(id, 'hostname'), id)
})

test('when memory is short ready VMs give way', async () => {
  let short = false
  const { capacity } = host.parts
  await open(2, {
    capacity: {
      report: capacity.report.bind(capacity),
      admit: async (memoryMib, promised) => {
        if (short && sandboxes.pool.counts.ready > 0) throw new AppError('no_capacity', 'full')
        if (short && memoryMib > size.memoryMib) throw new AppError('no_capacity', 'full')
        await capacity.admit(memoryMib, promised)
      },
    },
  })
  short = true
  const id = await create()
  assert.deepEqual(sandboxes.pool.counts, { size: 2, ready: 0 })
  assert.equal((await vmFolders()).length, 1)
  assert.equal(await sh(id, 'hostname'), id)
})

test('the next agent ends the ready VMs of one that died', async () => {
  await open(2)
  const next = await host.restart()
  assert.deepEqual(await vmFolders(), [])
  assert.deepEqual(next.list(), [])
})
