import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Limiter } from './limiter.ts'

test('no more work than allowed runs at once, in the order of arrival, and a failure frees its place', async () => {
  const limiter = new Limiter(2)
  const order: number[] = []
  let running = 0
  let most = 0
  const works = Array.from({ length: 7 }, (_, index) =>
    limiter.run(async () => {
      order.push(index)
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      if (index === 2) throw new Error('made to fail')
      return index
    }),
  )
  const outcomes = await Promise.allSettled(works)
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6])
  assert.equal(most, 2)
  assert.deepEqual(
    outcomes.map(({ status }) => status === 'fulfilled'),
    [true, true, false, true, true, true, true],
  )
})

test('who is aborted while waiting leaves the line, and takes no place from the others', async () => {
  const limiter = new Limiter(1)
  const first = Promise.withResolvers<void>()
  const cut = new AbortController()
  const running = limiter.run(() => first.promise)
  const waiting = limiter.run(() => Promise.reject(new Error('must not run')), cut.signal)
  const last = limiter.run(async () => 'ran')
  cut.abort(new Error('cut'))
  await assert.rejects(waiting, /cut/)
  first.resolve()
  await running
  assert.equal(await last, 'ran')
  assert.equal(await limiter.run(async () => 'again'), 'again')
})
