import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instanceId } from './instance.ts'

test("an instance's id never changes: what it left on the machine is found by it", () => {
  assert.equal(instanceId('/var/lib/wrenn'), instanceId('/var/lib/wrenn'))
  assert.match(instanceId('/var/lib/wrenn'), /^[a-z2-7]{6}$/)
})

test('different folders have different ids', () => {
  const folders = Array.from({ length: 500 }, (_, index) => `/srv/wrenn-${index}`)
  assert.equal(new Set(folders.map(instanceId)).size, folders.length)
})
