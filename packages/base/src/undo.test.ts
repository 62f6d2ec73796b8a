import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UndoStack } from './undo.ts'

test('everything is undone, newest first, each with what it acquired', async () => {
  const undo = new UndoStack()
  const undone: string[] = []
  const slot = await undo.acquire('slot', Promise.resolve('slot 7'), (taken) => void undone.push(taken))
  undo.defer('folder', () => void undone.push('folder'))
  await undo.acquire('vm', 'vm 1', async (taken) => void undone.push(taken))
  assert.equal(slot, 'slot 7')
  assert.deepEqual(await undo.undoAll(), [])
  assert.deepEqual(undone, ['vm 1', 'folder', 'slot 7'])
})

test('the next undo begins when the one before it has ended', async () => {
  const undo = new UndoStack()
  const events: string[] = []
  undo.defer('first', () => void events.push('first'))
  undo.defer('second', async () => {
    events.push('second begins')
    await new Promise((resolve) => setImmediate(resolve))
    events.push('second ends')
  })
  await undo.undoAll()
  assert.deepEqual(events, ['second begins', 'second ends', 'first'])
})

test('an undo that fails stops no other, and all failures come back with their names', async () => {
  const undo = new UndoStack()
  const undone: string[] = []
  const [first, third] = [new Error('first'), new Error('third')]
  undo.defer('first', () => Promise.reject(first))
  undo.defer('second', () => void undone.push('second'))
  undo.defer('third', () => {
    throw third
  })
  assert.deepEqual(await undo.undoAll(), [
    { name: 'third', error: third },
    { name: 'first', error: first },
  ])
  assert.deepEqual(undone, ['second'])
})

test('what could not be acquired is not given back', async () => {
  const undo = new UndoStack()
  const failed = Promise.reject(new Error('no slot'))
  await assert.rejects(
    undo.acquire('slot', failed, () => assert.fail('there was none')),
    /no slot/,
  )
  assert.deepEqual(await undo.undoAll(), [])
})

test('what is kept is not undone, and nothing is undone twice', async () => {
  const undo = new UndoStack()
  let undone = 0
  undo.defer('kept', () => assert.fail('it is kept'))
  undo.keep()
  undo.defer('once', () => void undone++)
  await undo.undoAll()
  await undo.undoAll()
  assert.equal(undone, 1)
})
