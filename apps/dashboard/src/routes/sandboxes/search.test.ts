import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sandbox } from '@wrenn/sdk'
import { countByStatus, matches, sandboxesSearch } from './search.ts'

const sandbox: Sandbox = {
  id: 'sb-abcdefghij0123456789',
  status: 'paused',
  status_reason: 'idle for 60 s',
  template: 'minimal',
  vcpus: 1,
  memory_mb: 512,
  timeout_sec: 60,
  on_timeout: 'pause',
  metadata: { env: 'Prod', 'team/owner': 'ci' },
  created_at: '2026-01-01T00:00:00.000Z',
  started_at: '2026-01-01T00:00:00.000Z',
  last_active_at: '2026-01-01T00:00:00.000Z',
  last_updated: '2026-01-01T00:00:00.000Z',
}

test('what the URL says is taken as it is meant, and the rest is left out', () => {
  assert.deepEqual(sandboxesSearch({}), {})
  assert.deepEqual(sandboxesSearch({ q: '', status: 'stopped', other: 1 }), {})
  assert.deepEqual(sandboxesSearch({ q: 42, status: 'paused' }), { q: '42', status: 'paused' })
  assert.deepEqual(sandboxesSearch({ create: 'my-snapshot' }), { create: 'my-snapshot' })
  for (const create of ['', true]) assert.deepEqual(sandboxesSearch({ create }), { create: '' })
})

test('a sandbox is found by every word of its id, state, reason, template and metadata, in any case', () => {
  for (const q of ['', '  ', 'SB-ABC', 'minimal env=prod', 'prod env', 'owner ci', 'idle paused'])
    assert.ok(matches(sandbox, { q }), q)
  for (const q of ['minimal staging', 'sb-x', 'env=prodx']) assert.ok(!matches(sandbox, { q }), q)
})

test('a status and words must both match', () => {
  assert.ok(matches(sandbox, { status: 'paused', q: 'prod' }))
  assert.ok(!matches(sandbox, { status: 'running', q: 'prod' }))
  assert.ok(!matches(sandbox, { status: 'paused', q: 'staging' }))
})

test('states are counted', () => {
  const of = (status: Sandbox['status']): Sandbox => ({ ...sandbox, status })
  const all = [of('running'), of('error'), of('running'), of('stopped')]
  assert.deepEqual(countByStatus(all), { running: 2, paused: 0, pending: 0, error: 1 })
})
