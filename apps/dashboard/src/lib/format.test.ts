import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatDuration, formatRelative } from './format.ts'

test('durations have their two largest units', () => {
  const cases: [number, string][] = [
    [0, '0 s'],
    [0.9, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [150, '2 min 30 s'],
    [3_600, '1 h'],
    [3_605, '1 h'],
    [7_260, '2 h 1 min'],
    [2 * 86_400 + 4 * 3_600 + 59, '2 d 4 h'],
    [-3, '0 s'],
  ]
  for (const [seconds, text] of cases) assert.equal(formatDuration(seconds), text)
})

test('times are told from now', () => {
  const now = Date.UTC(2026, 0, 1)
  const cases: [number, string][] = [
    [0, 'just now'],
    [-2_000, 'just now'],
    [4_000, 'just now'],
    [42_000, '42 s ago'],
    [90_000, '1 min ago'],
    [-7_200_000, 'in 2 h'],
    [3 * 86_400_000, '3 d ago'],
  ]
  for (const [agoMs, text] of cases) assert.equal(formatRelative(now - agoMs, now), text)
})

test('sizes are in binary units', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_536, '1.5 KiB'],
    [20 * 1_024 ** 2, '20 MiB'],
    [123.4 * 1_024 ** 3, '123 GiB'],
    [5_000 * 1_024 ** 4, '5000 TiB'],
  ]
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text)
})
