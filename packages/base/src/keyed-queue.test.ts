import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { KeyedQueue } from './keyed-queue.ts'

interface Task {
  key: string
  /** How many turns of the event loop it takes. */
  turns: number
  fails: boolean
}

const tasks = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b', 'c'), turns: fc.nat(3), fails: fc.boolean() }),
  { maxLength: 20 },
)

test('work on one key runs in order and never at the same time, whatever fails before it', async () => {
  await fc.assert(
    fc.asyncProperty(tasks, async (given) => {
      const queue = new KeyedQueue()
      const running = new Set<string>()
      const order: Record<string, number[]> = { a: [], b: [], c: [] }
      const work =
        ({ key, turns, fails }: Task, index: number) =>
        async (): Promise<number> => {
          assert.ok(!running.has(key))
          running.add(key)
          order[key]?.push(index)
          for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
          running.delete(key)
          if (fails) throw new Error(`task ${index}`)
          return index
        }
      const outcomes = await Promise.allSettled(
        given.map((task, index) => queue.run(task.key, work(task, index))),
      )
      for (const [key, indexes] of Object.entries(order))
        assert.deepEqual(
          indexes,
          given.flatMap((task, index) => (task.key === key ? [index] : [])),
        )
      for (const [index, outcome] of outcomes.entries()) {
        assert.equal(outcome.status === 'rejected', given[index]?.fails)
        if (outcome.status === 'fulfilled') assert.equal(outcome.value, index)
      }
    }),
    { numRuns: 50 },
  )
})

test('different keys run side by side', async () => {
  const queue = new KeyedQueue()
  const { promise, resolve } = Promise.withResolvers<string>()
  const first = queue.run('a', () => promise)
  await queue.run('b', async () => resolve('b ran'))
  assert.equal(await first, 'b ran')
})

test('work may queue more work under its own key', async () => {
  const queue = new KeyedQueue()
  const order: string[] = []
  let second: Promise<void> | undefined
  await queue.run('a', async () => {
    second = queue.run('a', async () => void order.push('second'))
    order.push('first')
  })
  await second
  assert.deepEqual(order, ['first', 'second'])
})

test('settled returns when all that was queued has ended, failures included', async () => {
  const queue = new KeyedQueue()
  await queue.settled()
  const ended: string[] = []
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const works = ['a', 'a', 'b'].map((key, index) =>
    queue.run(key, async () => {
      await turn()
      ended.push(`${key}${index}`)
      if (index === 0) throw new Error('made to fail')
    }),
  )
  const outcomes = Promise.allSettled(works)
  await queue.settled()
  assert.deepEqual(ended.sort(), ['a0', 'a1', 'b2'])
  await outcomes
})
