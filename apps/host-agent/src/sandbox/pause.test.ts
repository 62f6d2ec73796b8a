// Pause, resume and snapshots with real VMs: what was is there again, and a step that fails leaves things as they were.
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { isAlive, newId, pollUntil, type SandboxId } from '@wrenn/base'
import type { Parts } from './parts.ts'
import { boom, size, TestHost, withMethods } from './test-host.ts'
import type { Sandboxes } from './sandboxes.ts'

let host: TestHost

before(async () => {
  host = await TestHost.open()
})

after(() => host.remove())

async function sh(sandboxes: Sandboxes, id: SandboxId, script: string): Promise<string> {
  const result = await sandboxes.guest.exec(id, { cmd: 'sh', args: ['-c', script], timeoutSec: 60 })
  assert.equal(result.exitCode, 0, result.stderr)
  return result.stdout.trim()
}

/** A process, a file on the disk and one in memory. Returns a check that they are there. */
async function begin(sandboxes: Sandboxes, id: SandboxId): Promise<(now: Sandboxes) => Promise<void>> {
  const marker = newId('sb')
  const pid = await sh(
    sandboxes,
    id,
    `echo ${marker} > /root/disk; echo ${marker} > /run/memory; (while :; do sleep 0.1; done) >/dev/null 2>&1 & echo $!`,
  )
  return async (now) => {
    const seen = await sh(now, id, `kill -0 ${pid} && cat /root/disk /run/memory && hostname`)
    assert.equal(seen, `${marker}\n${marker}\n${id}`)
  }
}

async function folded(sandboxes: Sandboxes, id: SandboxId): Promise<void> {
  await pollUntil(
    'the memory is folded',
    () => {
      const state = sandboxes.get(id)
      if (state.status !== 'paused' || state.stored.record.state.kind !== 'saved') return undefined
      return state.stored.record.state.delta ? undefined : true
    },
    { timeoutMs: 20_000 },
  )
}

for (const when of ['before its memory is folded', 'after its memory is folded']) {
  test(`a paused sandbox holds nothing, and is as it was after a resume ${when}, again and again`, async () => {
    const sandboxes = host.sandboxes()
    const id = newId('sb')
    const { vm } = await sandboxes.create({ id, ...size })
    const check = await begin(sandboxes, id)
    let running = vm
    for (let cycle = 0; cycle < 3; cycle++) {
      await sandboxes.pause(id)
      assert.ok(!isAlive(running.process))
      if (when.startsWith('after')) await folded(sandboxes, id)
      await assert.rejects(sandboxes.guest.exec(id, { cmd: 'true', args: [], timeoutSec: 1 }), {
        code: 'invalid_state',
      })
      running = (await sandboxes.resume(id)).vm
      await check(sandboxes)
    }
    assert.equal(sandboxes.get(id).status, 'running')
    await sandboxes.destroy(id)
    await host.assertNothingLeft(sandboxes)
  })
}

test('the clock is right after a resume, and entropy is fresh', async () => {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  const random = (): Promise<string> => sh(sandboxes, id, 'head -c 16 /dev/urandom | od -An -tx1')
  const seen = [await random()]
  await sandboxes.pause(id)
  await folded(sandboxes, id)
  for (let cycle = 0; cycle < 2; cycle++) {
    await sandboxes.resume(id)
    const asked = Date.now()
    const clock = Number(await sh(sandboxes, id, 'date +%s%3N'))
    assert.ok(clock > asked - 500 && clock < Date.now() + 500, `${clock - asked} ms off`)
    seen.push(await random())
    await sandboxes.pause(id)
  }
  assert.equal(new Set(seen).size, seen.length)
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('an exec that runs is told of a pause, and its process goes on after the resume', async () => {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  const running = sandboxes.guest.exec(id, {
    cmd: 'sh',
    args: ['-c', 'touch /run/begun; while [ ! -e /run/go ]; do sleep 0.1; done; touch /run/done'],
    timeoutSec: 60,
  })
  running.catch(() => undefined)
  await pollUntil(
    'it runs',
    () =>
      sh(sandboxes, id, 'test -e /run/begun').then(
        () => true,
        () => undefined,
      ),
    {
      timeoutMs: 20_000,
    },
  )
  await sandboxes.pause(id)
  await assert.rejects(running, { code: 'invalid_state' })
  await sandboxes.resume(id)
  await sh(
    sandboxes,
    id,
    'touch /run/go; for i in $(seq 100); do test -e /run/done && exit 0; sleep 0.1; done; exit 1',
  )
  await sandboxes.destroy(id)
})

test('of two pauses at once one is refused, and of two resumes', async () => {
  const sandboxes = host.sandboxes()
  const id = newId('sb')
  await sandboxes.create({ id, ...size })
  const pausing = sandboxes.pause(id)
  assert.throws(() => sandboxes.pause(id), { code: 'invalid_state' })
  await pausing
  const resuming = sandboxes.resume(id)
  assert.throws(() => sandboxes.resume(id), { code: 'invalid_state' })
  await resuming
  await sandboxes.destroy(id)
})

const pauseFailures: Record<string, (real: Parts) => Partial<Parts>> = {
  'freezing the guest': ({ connectGuest }) => ({
    connectGuest: (address, token) =>
      withMethods(connectGuest(address, token), { quiesce: async () => boom() }),
  }),
  'saving the memory': ({ storage }) => ({ storage: { ...storage, saveDirtyPages: async () => boom() } }),
  'writing the state file': ({ storage }) => {
    const writeRecord: typeof storage.writeRecord = (folder, record) =>
      record.state.kind === 'saved' ? boom() : storage.writeRecord(folder, record)
    return { storage: { ...storage, writeRecord } }
  },
}

for (const [step, replace] of Object.entries(pauseFailures)) {
  test(`a pause that fails at ${step} leaves the sandbox running, with its disk writable`, async () => {
    const sandboxes = host.sandboxes(replace(host.parts))
    const id = newId('sb')
    const { folder } = await sandboxes.create({ id, ...size })
    const check = await begin(sandboxes, id)
    const files = await readdir(folder)
    await assert.rejects(sandboxes.pause(id), { code: 'agent_error' })
    assert.equal(sandboxes.get(id).status, 'running')
    await check(sandboxes)
    await sh(sandboxes, id, 'echo more > /root/more && sync')
    assert.deepEqual(await readdir(folder), files)
    await sandboxes.destroy(id)
    await host.assertNothingLeft(sandboxes)
  })
}

const resumeFailures: Record<string, (real: Parts) => Partial<Parts>> = {
  'taking a slot': ({ network }) => ({ network: withMethods(network, { take: async () => boom() }) }),
  'folding the memory': ({ storage }) => ({ storage: { ...storage, foldDelta: async () => boom() } }),
  'making the cgroup': ({ cgroups }) => ({
    cgroups: {
      make: async () => boom(),
      remove: (name) => cgroups.remove(name),
      list: () => cgroups.list(),
      close: () => cgroups.close(),
    },
  }),
  'loading the state': ({ driver }) => ({ driver: withMethods(driver, { resume: async () => boom() }) }),
  'a guest that dies at once': ({ driver }) => ({
    driver: withMethods(driver, {
      resume: async (options) => {
        const vm = await driver.resume(options)
        process.kill(vm.process.pid, 'SIGKILL')
        return vm
      },
    }),
  }),
  'setting the clock': ({ connectGuest }) => ({
    connectGuest: (address, token) => withMethods(connectGuest(address, token), { init: async () => boom() }),
  }),
  'writing the state file': ({ storage }) => {
    const writeRecord: typeof storage.writeRecord = (folder, record) =>
      record.state.kind === 'live' ? boom() : storage.writeRecord(folder, record)
    return { storage: { ...storage, writeRecord } }
  },
  'thawing the disk': ({ connectGuest }) => ({
    connectGuest: (address, token) => withMethods(connectGuest(address, token), { thaw: async () => boom() }),
  }),
}

for (const [step, replace] of Object.entries(resumeFailures)) {
  test(`a resume that fails at ${step} leaves the sandbox paused, and the next one finds it as it was`, async () => {
    // A fold that works would have been done before the resume.
    const first = host.sandboxes(step.startsWith('folding') ? replace(host.parts) : {})
    const id = newId('sb')
    const { folder } = await first.create({ id, ...size })
    const check = await begin(first, id)
    await first.pause(id)
    await first.folded()
    await host.assertNamespaces(0)
    const broken = await host.restart(replace(host.parts))
    await assert.rejects(broken.resume(id), { code: 'agent_error' })
    assert.equal(broken.get(id).status, 'paused')
    assert.deepEqual(await host.parts.driver.list(host.parts.folders.sandboxes), [])
    await host.assertNamespaces(0)
    await broken.settled()
    const next = await host.restart()
    await next.resume(id)
    await check(next)
    assert.ok((await readdir(folder)).includes('state.json'))
    await next.destroy(id)
    await host.assertNothingLeft(next)
  })
}
