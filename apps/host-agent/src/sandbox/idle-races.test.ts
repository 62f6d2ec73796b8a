// The idle time ends in the moment in which a caller does something, with real VMs. Whoever comes first, the outcome is one
// of the legal ones, what was answered is true, and nothing is left over. Times are around that moment: the same turn of
// the event loop just before and just after it, and up to the middle of the pause that it begins.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AppError, newId, pollUntil, type SandboxId } from '@wrenn/base'
import type { Sandboxes } from './sandboxes.ts'
import { size, TestHost } from './test-host.ts'

const timeoutSec = 0.2
/** Of the caller, after the end of the idle time: at 0 just before it, at 0.5 just after it, in the same turn. */
const momentsMs = [-20, -3, 0, 0.5, 2, 5, 20, 60, 200]
const deadline = { timeoutMs: 60_000 }

let host: TestHost

before(async () => {
  host = await TestHost.open()
})

after(() => host.remove())

type Answer = { ok: true } | { ok: false; code: string }

/** Does `act` so long after the moment in which the sandbox, idle from now on, has been idle for long enough. */
function actAround(
  sandboxes: Sandboxes,
  { id, momentMs, act }: { id: SandboxId; momentMs: number; act: () => Promise<unknown> },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const done = async (): Promise<Answer> => {
      try {
        await act()
        return { ok: true }
      } catch (error) {
        if (error instanceof AppError) return { ok: false, code: error.code }
        throw error
      }
    }
    const idleMs = timeoutSec * 1000
    const begin = (): void => void setTimeout(() => void done().then(resolve, reject), idleMs + momentMs)
    // Timers of the same whole millisecond fire in the order in which they were set.
    if (momentMs <= 0) begin()
    sandboxes.guest.touch(id)
    if (momentMs > 0) begin()
  })
}

async function create(sandboxes: Sandboxes, onTimeout: 'pause' | 'destroy'): Promise<SandboxId> {
  const id = newId('sb')
  await sandboxes.create({ ...size, id, timeoutSec, onTimeout })
  return id
}

async function sh(sandboxes: Sandboxes, id: SandboxId, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await sandboxes.guest.exec(id, {
    cmd: 'sh',
    args: ['-c', script],
    timeoutSec: 60,
  })
  assert.equal(exitCode, 0, stderr)
  return stdout.trim()
}

/** Nobody uses it any more: it comes to this. */
async function until(sandboxes: Sandboxes, id: SandboxId, status: string): Promise<void> {
  await pollUntil(`it is ${status}`, () => sandboxes.get(id).status === status || undefined, deadline)
  await sandboxes.settled()
  assert.equal(sandboxes.get(id).status, status)
  assert.deepEqual(await host.parts.driver.list(host.parts.folders.sandboxes), [])
}

test('a command in the moment in which its sandbox is paused runs whole, or not at all', async () => {
  const sandboxes = host.sandboxes()
  const id = await create(sandboxes, 'pause')
  const answers: Answer[] = []
  let expected = ''
  for (const [turn, momentMs] of momentsMs.entries()) {
    const act = (): Promise<unknown> => sh(sandboxes, id, `echo ${turn} >> /root/log; sleep 0.05`)
    const answer = await actAround(sandboxes, { id, momentMs, act })
    answers.push(answer)
    if (answer.ok) expected += `${turn}\n`
    else assert.equal(answer.code, 'invalid_state')
    await until(sandboxes, id, 'paused')
    await sandboxes.resume(id)
    assert.equal(await sh(sandboxes, id, 'cat /root/log 2>/dev/null || true'), expected.trim())
  }
  assert.deepEqual(new Set(answers.map(({ ok }) => ok)), new Set([true, false]))
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

test('a pause in the moment in which its sandbox is paused is that one, or is refused', async () => {
  const sandboxes = host.sandboxes()
  const id = await create(sandboxes, 'pause')
  const answers: Answer[] = []
  for (const [turn, momentMs] of momentsMs.entries()) {
    await sh(sandboxes, id, `echo ${turn} > /run/turn`)
    const before = sandboxes.get(id)
    assert.equal(before.status, 'running')
    const { generation } = before.live.record
    const answer = await actAround(sandboxes, { id, momentMs, act: async () => sandboxes.pause(id) })
    answers.push(answer)
    if (!answer.ok) assert.equal(answer.code, 'invalid_state')
    await until(sandboxes, id, 'paused')
    const paused = sandboxes.get(id)
    assert.ok(paused.status === 'paused' && paused.stored.record.state.kind === 'saved')
    assert.equal(paused.stored.record.generation, generation + 1, 'it was paused once')
    const { reason } = paused.stored.record.state
    if (answer.ok) assert.equal(reason, undefined)
    else assert.match(reason ?? '', /idle/)
    await sandboxes.resume(id)
    assert.equal(await sh(sandboxes, id, 'cat /run/turn'), String(turn))
  }
  assert.deepEqual(new Set(answers.map(({ ok }) => ok)), new Set([true, false]))
  await sandboxes.destroy(id)
  await host.assertNothingLeft(sandboxes)
})

for (const onTimeout of ['pause', 'destroy'] as const)
  test(`a destroy in the moment of its timeout (${onTimeout}) leaves nothing`, async () => {
    const sandboxes = host.sandboxes()
    for (const momentMs of momentsMs.filter((_moment, index) => index % 2 === 0)) {
      const id = await create(sandboxes, onTimeout)
      const answer = await actAround(sandboxes, { id, momentMs, act: () => sandboxes.destroy(id) })
      assert.deepEqual(answer, { ok: true })
      assert.throws(() => sandboxes.get(id), { code: 'not_found' })
      await sandboxes.settled()
      await host.assertNothingLeft(sandboxes)
    }
  })

test('a command or a pause in the moment in which its sandbox expires comes before, or is refused', async () => {
  const sandboxes = host.sandboxes()
  for (const momentMs of [0, 0.5, 2, 15])
    for (const what of ['exec', 'pause']) {
      const id = await create(sandboxes, 'destroy')
      const act = async (): Promise<unknown> =>
        what === 'exec' ? sh(sandboxes, id, 'sleep 0.05') : sandboxes.pause(id)
      const answer = await actAround(sandboxes, { id, momentMs, act })
      if (!answer.ok) assert.equal(answer.code, 'invalid_state')
      await until(sandboxes, id, answer.ok && what === 'pause' ? 'paused' : 'expired')
      await sandboxes.destroy(id)
      await host.assertNothingLeft(sandboxes)
    }
})
