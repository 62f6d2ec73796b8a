import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { processRef } from '@wrenn/base'
import { isDeadHolder, ownLeaseHolder } from './lease-holder.ts'

describe('the holder of a lease', () => {
  const own = ownLeaseHolder()
  const parts = own.split(' ')
  const [, , , , startTime = ''] = parts
  const withPart = (index: number, part: string): string => parts.with(index, part).join(' ')

  it('is the same for all of a process, which is not dead', () => {
    assert.equal(ownLeaseHolder(), own)
    assert.equal(parts.length, 5)
    assert.equal(isDeadHolder(own, own), false)
  })

  it('is dead once its process is, also when another has its pid', async () => {
    const child = spawn('sleep', ['60'])
    const ref = processRef(child.pid ?? 0)
    assert.ok(ref)
    const other = parts.with(3, String(ref.pid)).with(4, ref.startTime).join(' ')
    assert.equal(isDeadHolder(other, own), false)
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
    assert.equal(isDeadHolder(other, own), true)
    assert.equal(isDeadHolder(withPart(4, String(Number(startTime) + 1)), own), true)
  })

  it('is not known to be dead on another machine, before a reboot, in another container, as another user', () => {
    const dead = withPart(4, String(Number(startTime) + 1))
    for (const index of [0, 1, 2])
      assert.equal(isDeadHolder(dead.split(' ').with(index, 'other').join(' '), own), false)
  })

  it('that is written in another way is not known to be dead', () => {
    for (const holder of ['', 'cp-1', parts.slice(0, 3).join(' '), parts.slice(0, 4).join(' ')])
      assert.equal(isDeadHolder(holder, own), false, holder)
  })
})
