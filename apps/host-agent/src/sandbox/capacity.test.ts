// What does not fit is refused at once and leaves nothing, with real VMs: memory as promised, memory and disk as free.
import assert from 'node:assert/strict'
import { totalmem } from 'node:os'
import { after, before, test } from 'node:test'
import { AppError, MIB, newId } from '@wrenn/base'
import { Capacity, unlimited } from './capacity.ts'
import type { Sandboxes } from './sandboxes.ts'
import { size, TestHost } from './test-host.ts'

const more = Number.MAX_SAFE_INTEGER

let host: TestHost

before(async () => {
  host = await TestHost.open()
})

after(() => host.remove())

const create = (sandboxes: Sandboxes): Promise<unknown> => sandboxes.create({ id: newId('sb'), ...size })

function isNoCapacity(why: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError)
    assert.equal(error.code, 'no_capacity')
    assert.match(error.message, why)
    assert.ok(error.retryAfterSec)
    return true
  }
}

for (const [what, limits, why] of [
  ['disk', { diskReserveMib: more }, /MiB of disk are free, and \d+ must stay/],
  ['memory', { memoryReserveMib: more }, /MiB of memory are free, and \d+ must stay/],
] as const) {
  test(`below the watermark of ${what} creates and resumes are refused, and what is there can be paused`, async () => {
    const sandboxes = host.sandboxes()
    const [running, paused] = [newId('sb'), newId('sb')]
    for (const id of [running, paused]) await sandboxes.create({ id, ...size })
    await sandboxes.pause(paused)
    const capacity = new Capacity(host.folder, { ...unlimited, ...limits })
    const full = host.sandboxes({ capacity })
    await assert.rejects(create(full), isNoCapacity(why))
    assert.deepEqual(full.list(), [])
    await host.assertNamespaces(1)
    await sandboxes.pause(running)
    await sandboxes.folded()
    const next = await host.restart({ capacity })
    for (const id of [running, paused]) {
      await assert.rejects(next.resume(id), isNoCapacity(why))
      assert.equal(next.get(id).status, 'paused')
    }
    const later = await host.restart()
    for (const id of [running, paused]) {
      await later.resume(id)
      await later.destroy(id)
    }
    await host.assertNothingLeft(later)
  })
}

test('memory is promised so many times and no more, also to creates at once and resumes', async () => {
  // Room for two of these, as promised; what is really free does not matter here.
  const totalMib = totalmem() / MIB
  const memoryOvercommit = (2.5 * size.memoryMib) / totalMib
  const limits = { ...unlimited, memoryOvercommit, memoryReserveMib: -more }
  const sandboxes = host.sandboxes({ capacity: new Capacity(host.folder, limits) })
  const outcomes = await Promise.allSettled([create(sandboxes), create(sandboxes), create(sandboxes)])
  const [refused, ...others] = outcomes.filter(({ status }) => status === 'rejected')
  assert.ok(refused?.status === 'rejected' && others.length === 0)
  isNoCapacity(/256 MiB of memory are promised/)(refused.reason)
  const [{ id: first } = { id: newId('sb') }] = sandboxes.list()
  await sandboxes.pause(first)
  await create(sandboxes)
  await assert.rejects(sandboxes.resume(first), isNoCapacity(/256 MiB of memory are promised/))
  assert.equal(sandboxes.get(first).status, 'paused')
  for (const { id } of sandboxes.list()) await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})
