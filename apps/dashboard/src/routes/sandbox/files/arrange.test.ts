import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileEntry } from '@wrenn/sdk'
import { arrange, type Arrangement } from './arrange.ts'

const entry = (name: string, rest: Partial<FileEntry> = {}): FileEntry => ({
  name,
  path: `/${name}`,
  type: 'file',
  size: 0,
  mode: 0o644,
  permissions: '-rw-r--r--',
  owner: 'root',
  group: 'root',
  modified_at: '2026-01-01T00:00:00Z',
  ...rest,
})

const all = [
  entry('b10', { size: 5 }),
  entry('b9', { size: 7, modified_at: '2026-01-02T00:00:00Z' }),
  entry('.hidden'),
  entry('z', { type: 'directory' }),
  entry('A'),
]

const names = (arrangement: Partial<Arrangement>): string[] =>
  arrange(all, { sortBy: 'name', showsHidden: false, filter: '', ...arrangement }).map(({ name }) => name)

test('folders come first, names as people count, hidden ones when asked for', () => {
  assert.deepEqual(names({}), ['z', 'A', 'b9', 'b10'])
  assert.deepEqual(names({ showsHidden: true }), ['z', '.hidden', 'A', 'b9', 'b10'])
})

test('by size and time, the largest and newest first', () => {
  assert.deepEqual(names({ sortBy: 'size' }), ['z', 'b9', 'b10', 'A'])
  assert.deepEqual(names({ sortBy: 'modified' }), ['z', 'b9', 'A', 'b10'])
})

test('a filter is part of a name', () => {
  assert.deepEqual(names({ filter: ' B1' }), ['b10'])
  assert.deepEqual(names({ filter: 'nothing' }), [])
})
