import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summarise } from './summary.ts'
import type { Transfer, TransferState } from './transfers.ts'

const transfer = (state: TransferState, rest: Partial<Transfer> = {}): Transfer => ({
  id: 1,
  kind: 'upload',
  name: 'a',
  sizeBytes: 1_024,
  doneBytes: 0,
  state,
  ...rest,
})

test('while something is under way, how much of all is done', () => {
  const summary = summarise([
    transfer('done'),
    transfer('active', { doneBytes: 512 }),
    transfer('waiting'),
    transfer('failed'),
  ])
  assert.deepEqual(summary, {
    isUnderWay: true,
    text: 'Uploading 2 of 3 · 1.5 KiB of 3 KiB',
    progress: 0.5,
    failed: 1,
  })
  assert.match(summarise([transfer('active', { kind: 'download' }), transfer('done')]).text, /^Downloading/)
  assert.match(summarise([transfer('active', { kind: 'download' }), transfer('active')]).text, /^Transf/)
})

test('at the end, what became of all', () => {
  const all = [
    transfer('done'),
    transfer('done', { kind: 'download' }),
    transfer('failed'),
    transfer('cancelled'),
  ]
  assert.equal(summarise(all).text, '1 uploaded, 1 downloaded, 1 failed, 1 cancelled')
  assert.equal(summarise([transfer('done', { sizeBytes: 0 })]).progress, 1)
})
