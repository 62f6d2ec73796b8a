import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TerminalList } from './terminal-list.ts'

function storage(): Storage {
  const values = new Map<string, string>()
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  } as unknown as Storage
}

test('a sandbox begins with one terminal; a reload finds those that were open', () => {
  const stored = storage()
  const list = new TerminalList('sb-1', stored)
  assert.deepEqual(list.current.entries, [{ number: 1 }])
  list.started(1, 100)
  list.add()
  list.started(2, 200)
  list.show(1)
  const again = new TerminalList('sb-1', stored)
  assert.deepEqual(again.current, list.current)
  assert.deepEqual(again.current.entries, [
    { number: 1, pid: 100 },
    { number: 2, pid: 200 },
  ])
  assert.equal(again.current.shown, 1)
  assert.deepEqual(new TerminalList('sb-2', stored).current.entries, [{ number: 1 }])
})

test('a neighbour is shown instead of one that is closed, and numbers are not used twice', () => {
  const stored = storage()
  const list = new TerminalList('sb-1', stored)
  list.add()
  list.add()
  list.show(2)
  list.remove(2)
  assert.equal(list.current.shown, 3)
  list.remove(3)
  assert.equal(list.current.shown, 1)
  list.remove(1)
  assert.deepEqual(new TerminalList('sb-1', stored).current.entries, [])
  list.add()
  assert.equal(list.current.shown, 4)
})

test('a title is one short line, and an empty one is none', () => {
  const list = new TerminalList('sb-1', storage())
  list.rename(1, ' vim\u0007\u202e \n x')
  assert.equal(list.find(1)?.title, 'vim  x')
  list.rename(1, '🐦'.repeat(500))
  assert.equal(list.find(1)?.title, '🐦'.repeat(80))
  list.rename(1, '\u001b')
  assert.deepEqual(list.find(1), { number: 1 })
})

test('a damaged storage is as if there were none', () => {
  for (const text of ['{', '[]', 'null', '{"entries":3}']) {
    const stored = storage()
    stored.setItem('wrenn.terminals.sb-1', text)
    assert.equal(new TerminalList('sb-1', stored).current.shown, 1, text)
  }
})
