// With real VMs of one golden: what they share is counted for none of them, and what each writes for itself alone.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { MIB, newId, type SandboxId } from '@wrenn/base'
import { residentMib } from '../../../test/support/memory.ts'
import { privateMemory } from './private-memory.ts'
import type { Sandboxes } from './sandbox/sandboxes.ts'
import { size, TestHost } from './sandbox/test-host.ts'

const writtenMib = 32
/** What a VMM allocates and a guest dirties by running one command, at the most. */
const byTheWayMib = 16

let host: TestHost

before(async () => {
  host = await TestHost.open()
})

after(() => host.remove())

const privateMib = (pid: number): number => {
  const bytes = privateMemory(pid)
  assert.ok(bytes !== undefined)
  return bytes / MIB
}

/** Of the mapping that is the guest's memory: what is present and not its own (proc_pid_smaps(5)). */
async function sharedMib(pid: number): Promise<number> {
  const smaps = await readFile(`/proc/${pid}/smaps`, 'utf8')
  const kib = (mapping: string, field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(mapping)?.[1])
  const mappings = smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  const guest = mappings.filter((mapping) => kib(mapping, 'Size') === size.memoryMib * 1024)
  assert.equal(guest.length, 1, 'one mapping has the size of the guest')
  const [mapping = ''] = guest
  return (kib(mapping, 'Rss') - kib(mapping, 'Anonymous')) / 1024
}

test('a VM that shares the memory of its golden counts its own pages only', async () => {
  const sandboxes = host.sandboxes()
  const [one, other] = [await create(sandboxes), await create(sandboxes)]
  for (const { pid } of [one, other]) {
    const shared = await sharedMib(pid)
    assert.ok(shared >= 8, `${shared} MiB of the golden are present`)
    const [own, resident] = [privateMib(pid), await residentMib(pid)]
    assert.ok(own + shared <= resident + 1, `${own} MiB own and ${shared} MiB shared of ${resident} MiB`)
  }
  const ownBefore = [privateMib(one.pid), privateMib(other.pid)] as const
  await write(sandboxes, one.id)
  const grown = privateMib(one.pid) - ownBefore[0]
  assert.ok(grown >= writtenMib && grown < writtenMib + byTheWayMib, `${grown} MiB more are its own`)
  const otherGrown = privateMib(other.pid) - ownBefore[1]
  assert.ok(otherGrown < byTheWayMib, `${otherGrown} MiB more are the other one's`)
  for (const { id } of [one, other]) await sandboxes.destroy(id)
  assert.equal(privateMemory(one.pid), undefined)
  await host.assertNothingLeft(sandboxes)
})

async function create(sandboxes: Sandboxes): Promise<{ id: SandboxId; pid: number }> {
  const id = newId('sb')
  const { vm } = await sandboxes.create({ id, ...size })
  return { id, pid: vm.process.pid }
}

async function write(sandboxes: Sandboxes, id: SandboxId): Promise<void> {
  const script = `head -c ${writtenMib * MIB} /dev/urandom > /run/large`
  const result = await sandboxes.guest.exec(id, { cmd: 'sh', args: ['-c', script], timeoutSec: 60 })
  assert.equal(result.exitCode, 0, result.stderr)
}
