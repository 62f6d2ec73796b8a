import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '@wrenn/base'
import { BackgroundBatch } from './background-batch.ts'

const logger = createLogger('test', 'silent')

test('idle it writes at once; while it writes, ids gather for the next', async () => {
  const writes: string[][] = []
  let finish: () => void = () => undefined
  const batch = new BackgroundBatch(
    'test',
    (ids) => {
      writes.push([...ids])
      return new Promise<void>((resolve) => (finish = resolve))
    },
    logger,
  )
  batch.add('a')
  assert.deepEqual(writes, [['a']])
  for (const id of ['b', 'c', 'b']) batch.add(id)
  const flushed = batch.flushed()
  finish()
  await new Promise(setImmediate)
  assert.deepEqual(writes, [['a'], ['b', 'c']])
  finish()
  await flushed
  batch.add('d')
  assert.deepEqual(writes.at(-1), ['d'])
})

test('a failed write is lost, and the next one works', async () => {
  const written: string[] = []
  const batch = new BackgroundBatch(
    'test',
    async (ids) => {
      if (ids.includes('bad')) throw new Error('no')
      written.push(...ids)
    },
    logger,
  )
  batch.add('bad')
  await batch.flushed()
  batch.add('good')
  await batch.flushed()
  assert.deepEqual(written, ['good'])
})
