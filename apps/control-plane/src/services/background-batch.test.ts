import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, pollUntil } from '@wrenn/base'
import { BackgroundBatch } from './background-batch.ts'

const logger = createLogger('test', 'silent')

test('the first write starts at once; ids that come meanwhile gather for the next', async () => {
  const writes: string[][] = []
  const batch = new BackgroundBatch({ op: 'test', write: async (ids) => void writes.push([...ids]), logger })
  batch.add('a')
  assert.deepEqual(writes, [['a']])
  for (const id of ['b', 'c', 'b']) batch.add(id)
  assert.deepEqual(writes, [['a']])
  await batch.flushed()
  assert.deepEqual(writes, [['a'], ['b', 'c']])
  batch.add('d')
  assert.deepEqual(writes.at(-1), ['d'])
})

test('gathered ids are written by themselves after the rest', async () => {
  const writes: string[][] = []
  const write = async (ids: readonly string[]): Promise<void> => void writes.push([...ids])
  const batch = new BackgroundBatch({ op: 'test', write, logger, restMs: 10 })
  batch.add('a')
  batch.add('b')
  await pollUntil('b is written', () => (writes.length === 2 ? true : undefined), { timeoutMs: 5_000 })
  assert.deepEqual(writes, [['a'], ['b']])
})

test('a failed write is lost, and the next one works', async () => {
  const written: string[] = []
  const write = async (ids: readonly string[]): Promise<void> => {
    if (ids.includes('bad')) throw new Error('no')
    written.push(...ids)
  }
  const batch = new BackgroundBatch({ op: 'test', write, logger })
  batch.add('bad')
  await batch.flushed()
  batch.add('good')
  await batch.flushed()
  assert.deepEqual(written, ['good'])
})
