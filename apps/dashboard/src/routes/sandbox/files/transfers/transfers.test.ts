import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { WrennError } from '@wrenn/sdk'
import { Transfers, type TransferRequest } from './transfers.ts'

type Run = TransferRequest['run']

/** A transfer that ends when it is told to. */
class Held {
  isStarted = false
  end: (error?: unknown) => void = () => undefined
  readonly request: TransferRequest

  constructor(name: string) {
    this.request = { kind: 'upload', name, sizeBytes: 10, run: (options) => this.#run(options) }
  }

  #run({ signal, onProgress }: Parameters<Run>[0]): Promise<void> {
    this.isStarted = true
    onProgress({ doneBytes: 5, totalBytes: 10 })
    return new Promise((resolve, reject) => {
      this.end = (error) => (error === undefined ? resolve() : reject(error))
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
  }
}

const states = (transfers: Transfers): string => transfers.all.map(({ state }) => state).join(' ')
const become = (transfers: Transfers, expected: string): Promise<true> =>
  pollUntil(expected, () => states(transfers) === expected || undefined, { timeoutMs: 10_000 })

test('two go at a time; what fails keeps none of the others from its turn, and can be tried again', async () => {
  const errors: unknown[] = []
  const transfers = new Transfers((error) => errors.push(error))
  const held = ['a', 'b', 'c', 'd'].map((name) => new Held(name))
  transfers.add(held.map(({ request }) => request))
  assert.equal(states(transfers), 'active active waiting waiting')
  assert.equal(transfers.all[0]?.doneBytes, 5)
  const full = new WrennError('disk_full', 'no room')
  held[0]?.end(full)
  await become(transfers, 'failed active active waiting')
  assert.equal(transfers.all[0]?.error, full)
  assert.deepEqual(errors, [full])
  held[1]?.end()
  await become(transfers, 'failed done active active')
  transfers.retryFailed()
  assert.equal(states(transfers), 'waiting done active active')
  held[2]?.end()
  await become(transfers, 'active done done active')
  held[0]?.end()
  held[3]?.end()
  await become(transfers, 'done done done done')
  transfers.clear()
  assert.deepEqual(transfers.all, [])
})

test('cancelling ends what goes on, and what waits never begins', async () => {
  const transfers = new Transfers(() => assert.fail('a cancelled one has not failed'))
  const held = ['a', 'b', 'c'].map((name) => new Held(name))
  transfers.add(held.map(({ request }) => request))
  transfers.cancelAll()
  await become(transfers, 'cancelled cancelled cancelled')
  assert.equal(held[2]?.isStarted, false)
})

test('when the session has ended, what waits is not tried', async () => {
  const transfers = new Transfers(() => undefined)
  const held = ['a', 'b', 'c'].map((name) => new Held(name))
  transfers.add(held.map(({ request }) => request))
  held[0]?.end(new WrennError('unauthorized', 'expired'))
  await become(transfers, 'failed active failed')
  held[1]?.end()
  await become(transfers, 'failed done failed')
  assert.equal(held[2]?.isStarted, false)
})

test('whoever listens is told, with a list that stays the same in between', async () => {
  const transfers = new Transfers(() => undefined)
  let told = 0
  const stop = transfers.subscribe(() => (told += 1))
  const held = new Held('a')
  transfers.add([held.request])
  assert.equal(told, 1)
  assert.equal(transfers.all, transfers.all)
  held.end()
  await become(transfers, 'done')
  stop()
  const before = told
  transfers.clear()
  assert.equal(told, before)
})
