// The short form of `npm run chaos`: one round of load in which each process is killed, and all at once.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { runChaos } from '../../tools/chaos/run.ts'

test('under load and kill -9 of every process nothing is lost, between, or left over', async (context) => {
  const seed = randomBytes(4).toString('hex')
  const say = (line: string): void => context.diagnostic(line)
  say(`seed ${seed}: npm run chaos -- --minutes 0 --seed ${seed} --workers 3`)
  const { violations, tally } = await runChaos({ seed, minutes: 0, workers: 3, say })
  for (const line of tally.lines()) say(line)
  assert.deepEqual(violations, [])
  assert.ok(tally.kills >= 6)
  for (const operation of ['createSandbox', 'execCommand'])
    assert.ok(tally.succeeded(operation) > 0, operation)
})
