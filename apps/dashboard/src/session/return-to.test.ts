import assert from 'node:assert/strict'
import { test } from 'node:test'
import { safeReturnTo } from './return-to.ts'

const origin = 'https://wrenn.example.com'

test('leads back to pages, with their query and fragment', () => {
  for (const to of ['/sandboxes', '/sandboxes/sb-1/files?path=%2Froot', '/snapshots#x', '/'])
    assert.equal(safeReturnTo(to, origin), to)
})

test('leads to no other site, and to nothing that is no page', () => {
  const wrong = [
    undefined,
    7,
    '',
    'sandboxes',
    '//evil.example/sandboxes',
    '/\\evil.example/sandboxes',
    '\\\\evil.example',
    '/\t/evil.example/sandboxes',
    '/..//evil.example',
    'https://evil.example/sandboxes',
    'javascript:alert(1)',
    '/v1/sandboxes',
    '/docs',
    '/sandboxes/',
    '/sandboxes/../v1',
  ]
  for (const to of wrong) assert.equal(safeReturnTo(to, origin), '/sandboxes', String(to))
})

test('does not lead round in circles', () => {
  for (const to of ['/sign-in', '/sign-up?to=/sign-in', '/auth/github/callback'])
    assert.equal(safeReturnTo(to, origin), '/sandboxes')
})
