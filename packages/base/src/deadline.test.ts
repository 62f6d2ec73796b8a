import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeadlineError, pollUntil, withDeadline } from './deadline.ts'

test('polling returns the first value that is not undefined', async () => {
  const values = [undefined, undefined, 0, 1]
  assert.equal(await pollUntil('a value', () => values.shift(), { timeoutMs: 10_000, intervalMs: 1 }), 0)
  assert.equal(await pollUntil('a value', async () => null, { timeoutMs: 10_000 }), null)
})

test('an attempt that throws counts as not yet', async () => {
  let attempts = 0
  const value = await pollUntil(
    'the third attempt',
    () => {
      attempts += 1
      if (attempts < 3) throw new Error('not yet')
      return attempts
    },
    { timeoutMs: 10_000, intervalMs: 1 },
  )
  assert.equal(value, 3)
})

test('past the deadline the error says what was waited for, and why the last attempt failed', async () => {
  const cause = new Error('refused')
  await assert.rejects(
    pollUntil('the port opens', () => Promise.reject(cause), { timeoutMs: 20, intervalMs: 1 }),
    (error) => {
      assert.ok(error instanceof DeadlineError)
      assert.equal(error.message, 'the port opens: not done within 20 ms')
      assert.equal(error.cause, cause)
      return true
    },
  )
})

test('there is an attempt even when there is no time', async () => {
  assert.equal(await pollUntil('a value', () => 1, { timeoutMs: 0 }), 1)
})

test('an abort ends the polling with its reason, at once', async () => {
  const controller = new AbortController()
  const reason = new Error('no longer needed')
  const options = { timeoutMs: 60_000, intervalMs: 30_000, signal: controller.signal }
  const polling = pollUntil('never', () => undefined, options)
  setImmediate(() => controller.abort(reason))
  await assert.rejects(polling, (error) => error === reason)
  await assert.rejects(
    pollUntil('never', () => assert.fail('no attempt is made'), options),
    (error) => error === reason,
  )
})

test('a deadline passes on what happens in time', async () => {
  assert.equal(await withDeadline('a value', 10_000, Promise.resolve(1)), 1)
  await assert.rejects(withDeadline('a value', 10_000, Promise.reject(new Error('no'))), /^Error: no$/)
})

test('what is not done in time is a DeadlineError, and may fail later without harm', async () => {
  const { promise, reject } = Promise.withResolvers<never>()
  await assert.rejects(withDeadline('the answer', 10, promise), {
    name: 'DeadlineError',
    message: 'the answer: not done within 10 ms',
  })
  reject(new Error('too late'))
  await new Promise((resolve) => setImmediate(resolve))
})
