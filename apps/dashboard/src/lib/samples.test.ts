import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleAt, stretches, thinned, windowMs, withSample, type Sample } from './samples.ts'

const nowMs = 1_000_000
const at = (agoMs: number, cpuPercent = 50): Sample => ({
  atMs: nowMs - agoMs,
  cpuPercent,
  cpuCount: 1,
  memoryBytes: 0,
  memoryTotalBytes: 0,
  diskBytes: 0,
  diskTotalBytes: 0,
})
const cpu = ({ cpuPercent }: Sample): number => cpuPercent

test('what is too old to be shown is not kept', () => {
  const kept = withSample([at(windowMs + 1), at(windowMs), at(windowMs - 1)], at(0))
  assert.deepEqual(kept, [at(windowMs - 1), at(0)])
})

test('a line breaks where nothing was measured, and not where an answer was slow', () => {
  const samples = [at(60_000), at(58_000), at(30_000), at(24_000), at(0)]
  const lines = stretches(samples, cpu, { nowMs, max: 100 })
  assert.deepEqual(
    lines.map((line) => line.length),
    [2, 2, 1],
  )
  assert.deepEqual(lines.at(-1), [{ x: 1, y: 0.5 }])
})

test('values stay within the plane, also without a maximum', () => {
  const points = stretches([at(0, 120), at(0, -1)], cpu, { nowMs, max: 100 }).flat()
  assert.deepEqual(
    points.map(({ y }) => y),
    [0, 1],
  )
  assert.equal(stretches([at(0)], cpu, { nowMs, max: 0 })[0]?.[0]?.y, 1)
  assert.deepEqual(stretches([at(windowMs + 1)], cpu, { nowMs, max: 100 }), [])
})

test('the sample under the pointer is the nearest, if one is near', () => {
  const samples = [at(20_000), at(10_000), at(0)]
  assert.equal(sampleAt(samples, 1 - 11_000 / windowMs, nowMs), samples[1])
  assert.equal(sampleAt(samples, 0.5, nowMs), undefined)
  assert.equal(sampleAt([], 1, nowMs), undefined)
})

test('a table has one row for each step, the newest first', () => {
  const samples = [at(10_000, 1), at(8_000, 2), at(0, 3)]
  assert.deepEqual(thinned(samples, 10_000).map(cpu), [3, 2])
})
