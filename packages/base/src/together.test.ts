import assert from 'node:assert/strict'
import { test } from 'node:test'
import { together } from './together.ts'

const never = new AbortController().signal

/** Ends one turn of the event loop after `signal` aborts. */
async function untilAborted(signal: AbortSignal, ended: () => void): Promise<void> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await new Promise((resolve) => setImmediate(resolve))
  ended()
}

test('a failure aborts the others, and is thrown only when they have ended', async () => {
  const failure = new Error('made to fail')
  let ended = false
  let reason: unknown
  const tasks = [
    (signal: AbortSignal) =>
      untilAborted(signal, () => {
        ended = true
        reason = signal.reason
      }),
    () => Promise.reject(failure),
  ]
  await assert.rejects(together(tasks, never), (error) => error === failure)
  assert.ok(ended)
  assert.equal(reason, failure)
})

test('a task that throws before it returns a promise is a failure like any other', async () => {
  let ended = false
  const tasks = [
    (signal: AbortSignal) => untilAborted(signal, () => (ended = true)),
    (): Promise<unknown> => {
      throw new Error('at once')
    },
  ]
  await assert.rejects(together(tasks, never), /at once/)
  assert.ok(ended)
})

test('the first failure is the one that is thrown', async () => {
  const tasks = [
    async (signal: AbortSignal) => {
      await untilAborted(signal, () => undefined)
      throw new Error('because of the other')
    },
    () => Promise.reject(new Error('the cause')),
  ]
  await assert.rejects(together(tasks, never), /the cause/)
})

test("the caller's signal reaches every task", async () => {
  const caller = new AbortController()
  const reasons: unknown[] = []
  const task = (signal: AbortSignal): Promise<void> =>
    untilAborted(signal, () => void reasons.push(signal.reason))
  const done = together([task, task], caller.signal)
  caller.abort('enough')
  await done
  assert.deepEqual(reasons, ['enough', 'enough'])
})

test('nothing is thrown when all went well', async () => {
  const done: number[] = []
  await together(
    [1, 2, 3].map((number) => async () => void done.push(number)),
    never,
  )
  assert.deepEqual(done, [1, 2, 3])
})
