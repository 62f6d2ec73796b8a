import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { processRef } from '@wrenn/base'
import { beginHolder, endHolder, isDeadHolder } from './lease-holder.ts'

describe('the holder of a lease', () => {
  const own = beginHolder()
  const parts = own.split(' ')
  const withPart = (index: number, part: string): string => parts.with(index, part).join(' ')
  const dead = withPart(4, String(Number(parts[4]) + 1))

  it('is dead when its work is over, and no other of its process is', () => {
    const [one, two] = [beginHolder(), beginHolder()]
    assert.deepEqual([own, one, two].map(isDeadHolder), [false, false, false])
    endHolder(one)
    assert.deepEqual([own, one, two].map(isDeadHolder), [false, true, false])
    endHolder(two)
  })

  it('is dead once its process is, also when another has its pid', async () => {
    const child = spawn('sleep', ['60'])
    const ref = processRef(child.pid ?? 0)
    assert.ok(ref)
    const other = parts.with(3, String(ref.pid)).with(4, ref.startTime).join(' ')
    assert.equal(isDeadHolder(other), false)
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
    assert.equal(isDeadHolder(other), true)
    assert.equal(isDeadHolder(dead), true)
  })

  it('is not known to be dead on another machine, before a reboot, in another container, as another user', () => {
    for (const index of [0, 1, 2])
      assert.equal(isDeadHolder(dead.split(' ').with(index, 'other').join(' ')), false)
  })

  it('that is written in another way is not known to be dead', () => {
    for (const holder of ['', 'cp-1', parts.slice(0, 3).join(' '), parts.slice(0, 4).join(' ')])
      assert.equal(isDeadHolder(holder), false, holder)
  })
})
