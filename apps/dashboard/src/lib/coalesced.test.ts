import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { coalesced } from './coalesced.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a hundred wishes are one piece of work, and one that comes in the middle is another', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  let started = 0
  let finish: (() => void) | undefined
  const work = coalesced(() => {
    started += 1
    return new Promise<void>((resolve) => (finish = resolve))
  }, 100)
  for (let times = 0; times < 100; times += 1) work.ask()
  assert.equal(started, 0)
  mock.timers.tick(100)
  assert.equal(started, 1)
  work.ask()
  work.ask()
  mock.timers.tick(1_000)
  assert.equal(started, 1, 'never two at a time')
  finish?.()
  await settled()
  mock.timers.tick(100)
  assert.equal(started, 2)
  finish?.()
  await settled()
  mock.timers.tick(1_000)
  assert.equal(started, 2)
  work.ask()
  work.stop()
  mock.timers.tick(1_000)
  assert.equal(started, 2)
})
