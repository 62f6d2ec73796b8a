import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Template } from '@wrenn/sdk'
import { firstDraft, gapsOf, requestOf, type Draft } from './create-draft.ts'

const base: Template = {
  name: 'minimal',
  type: 'base',
  vcpus: null,
  memory_mb: null,
  size_bytes: 1,
  created_at: '2026-01-01T00:00:00.000Z',
}
const saved: Template = { ...base, name: 'saved', type: 'snapshot', vcpus: 2, memory_mb: 1024 }
const draft: Draft = { ...firstDraft, template: 'minimal' }

test('the first draft asks for the default size, and to be paused when it is forgotten', () => {
  assert.deepEqual(requestOf(draft, base), {
    template: 'minimal',
    vcpus: 1,
    memory_mb: 512,
    timeout_sec: 3600,
    on_timeout: 'pause',
  })
})

test('a snapshot is asked for without a size, whatever was typed before it was chosen', () => {
  const request = requestOf({ ...draft, template: 'saved', vcpus: null, timeout: '0' }, saved)
  assert.deepEqual(request, { template: 'saved' })
  assert.deepEqual(gapsOf({ ...draft, template: 'saved', vcpus: null }, saved), {})
})

test('an own timeout is its amount in its unit', () => {
  const of = (ownAmount: number | null, ownUnit: Draft['ownUnit']): Draft => ({
    ...draft,
    timeout: 'own',
    ownAmount,
    ownUnit,
    onTimeout: 'destroy',
  })
  assert.deepEqual(requestOf(of(90, 's'), base).timeout_sec, 90)
  assert.deepEqual(requestOf(of(2, 'd'), base).timeout_sec, 172_800)
  assert.equal(requestOf(of(2, 'd'), base).on_timeout, 'destroy')
  assert.equal(requestOf(of(0, 's'), base).timeout_sec, undefined)
  assert.deepEqual(Object.keys(gapsOf(of(null, 'h'), base)), ['timeout_sec'])
})

test('metadata is what has been typed, without empty rows; names are given, and once', () => {
  const rows = (...pairs: [string, string][]): Draft => ({
    ...draft,
    metadata: pairs.map(([name, value], key) => ({ key, name, value })),
  })
  assert.deepEqual(requestOf(rows([' env ', ' prod '], ['', ''], ['empty', '']), base).metadata, {
    env: ' prod ',
    empty: '',
  })
  assert.equal(requestOf(rows(['', '']), base).metadata, undefined)
  assert.match(gapsOf(rows(['', 'x']), base)['metadata'] ?? '', /needs a name/)
  assert.match(gapsOf(rows(['a', 'x'], ['a ', 'y']), base)['metadata'] ?? '', /two of the name a/)
  assert.deepEqual(gapsOf(rows(['a', 'x'], ['', '']), base), {})
})

test('what is missing is named by the fields of the API', () => {
  const gaps = gapsOf({ ...draft, template: '', vcpus: null, memoryMib: null }, undefined)
  assert.deepEqual(Object.keys(gaps), ['template', 'vcpus', 'memory_mb'])
})
