// An agent that is killed at any step of an operation: the next one finds every sandbox as before the operation or as
// after it, never between, and nothing that nobody owns. Real VMs, real kill -9.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { instanceId, pollUntil, run, type SandboxId } from '@wrenn/base'
import { leftovers } from '../../../../test/support/machine.ts'
import type { Sandboxes } from './sandboxes.ts'
import { TestHost } from './test-host.ts'

let folder: string

before(async () => {
  folder = await TestHost.folder()
})

after(async () => {
  const left = await leftovers(instanceId(folder), folder)
  await rm(folder, { recursive: true })
  assert.deepEqual(left, [])
})

async function crash(operation: string, step: string): Promise<SandboxId> {
  const child = join(import.meta.dirname, 'crash-child.ts')
  let output = ''
  const onOutput = (text: string): void => void (output += text)
  const ended = run(process.execPath, [child, folder, operation, step], { timeoutMs: 120_000, onOutput })
  const error = await ended.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.match(String(error), /SIGKILL/, output)
  return output.trim().split('\n')[0] as SandboxId
}

/** Its process lives, its files are there, and it can write. */
async function assertAsItWas(sandboxes: Sandboxes, id: SandboxId): Promise<void> {
  const script = 'kill -0 $(cat /run/pid) && cat /root/disk /run/memory && echo more > /root/more && sync'
  const seen = await sandboxes.guest.exec(id, { cmd: 'sh', args: ['-c', script], timeoutSec: 30 })
  assert.deepEqual([seen.exitCode, seen.stdout], [0, 'disk\nmemory\n'], seen.stderr)
}

async function nextAgent(check: (host: TestHost) => Promise<void>): Promise<void> {
  const host = await TestHost.open(folder)
  try {
    await check(host)
    for (const { id } of host.found.list()) await host.found.destroy(id)
    for (const { template } of host.snapshots.list()) await host.snapshots.delete(template.key)
    await host.assertNothingLeft(host.found)
  } finally {
    await host.close()
  }
}

const pauses = {
  running: [
    'before the freeze',
    'after the freeze',
    'before the devices are saved',
    'before the memory is saved',
    'after the memory is saved',
    'before the state file',
  ],
  paused: [
    'after the state file',
    'after the VM is ended',
    'after the copy of the memory',
    'before the fold',
    'after the fold',
  ],
}

for (const [status, steps] of Object.entries(pauses)) {
  for (const step of steps) {
    test(`killed in a pause ${step}: it is ${status}`, async () => {
      const id = await crash('pause', step)
      await nextAgent(async ({ found }) => {
        assert.equal(found.get(id).status, status)
        if (status === 'running') await found.pause(id)
        await found.resume(id)
        await assertAsItWas(found, id)
      })
    })
  }
}

const resumes = {
  paused: ['before the vcpus run', 'after the clock is set', 'before the state file'],
  running: ['after the state file', 'before the thaw', 'after the thaw'],
}

for (const [status, steps] of Object.entries(resumes)) {
  for (const step of steps) {
    test(`killed in a resume ${step}: it is ${status}`, async () => {
      const id = await crash('resume', step)
      await nextAgent(async ({ found }) => {
        assert.equal(found.get(id).status, status)
        if (status === 'paused') await found.resume(id)
        await assertAsItWas(found, id)
      })
    })
  }
}

for (const step of [
  'after the freeze',
  'after the memory is saved',
  'after the VM is ended',
  'after the fold',
]) {
  test(`killed in a snapshot ${step}: the sandbox runs, there is no snapshot`, async () => {
    const id = await crash('snapshot', step)
    await nextAgent(async ({ found, snapshots }) => {
      await pollUntil('it runs', () => found.get(id).status === 'running' || undefined, { timeoutMs: 30_000 })
      await assertAsItWas(found, id)
      assert.deepEqual(snapshots.list(), [])
    })
  })
}

for (const step of ['before the folder is removed', 'after the folder is removed']) {
  test(`killed in a snapshot ${step}: the snapshot is whole, the sandbox is gone`, async () => {
    const id = await crash('snapshot', step)
    await nextAgent(async ({ found, snapshots }) => {
      assert.deepEqual(found.list(), [])
      const [snapshot] = snapshots.list()
      assert.ok(snapshot)
      const { template, vcpus, memoryMib } = { ...snapshot.template, ...snapshot.template.machine }
      const spec = { id, template, vcpus, memoryMib, timeoutSec: 0, onTimeout: 'pause' as const }
      await found.create({ ...spec, snapshot: snapshot.template.key })
      await assertAsItWas(found, id)
    })
  })
}

for (const [operation, step] of [
  ['create', 'before the vcpus run'],
  ['create', 'before the record counts'],
  ['create', 'after the clock is set'],
  ['destroy', 'after the folder is removed'],
] as const) {
  test(`killed in a ${operation} ${step}: nothing is left`, async () => {
    await crash(operation, step)
    await nextAgent(async (host) => {
      for (const { id } of host.found.list()) await host.found.destroy(id)
      await host.assertNothingLeft(host.found)
    })
  })
}
