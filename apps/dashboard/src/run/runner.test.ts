// What becomes of a command: its end, a stop, a timeout, a refusal; and what is remembered of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WrennError, type ExecEvent, type ExecStream, type StreamRequest } from '@wrenn/sdk'
import { emptyForm } from './command.ts'
import { RunHistory } from './history.ts'
import { Runner } from './runner.ts'

/** A command that says what it is given, and when it is stopped ends like one that was killed. */
class FakeStream {
  stopped: (() => void) | undefined
  readonly #events: readonly (ExecEvent | Error | 'wait')[]

  constructor(events: readonly (ExecEvent | Error | 'wait')[]) {
    this.#events = events
  }

  stop(): void {
    this.stopped?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ExecEvent> {
    for (const event of this.#events) {
      if (event instanceof Error) throw event
      if (event === 'wait') await new Promise<void>((resolve) => (this.stopped = resolve))
      else yield event
    }
  }
}

function storage(): Storage {
  const values = new Map<string, string>()
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  } as unknown as Storage
}

function rig(events: readonly (ExecEvent | Error | 'wait')[]) {
  const stored = storage()
  const place = { userId: 'usr-1', sandboxId: 'sb-1' }
  const requests: StreamRequest[] = []
  const errors: unknown[] = []
  const runner = new Runner({
    sandboxId: 'sb-1',
    sandboxes: {
      execStream: ((_id: string, request: StreamRequest) => {
        requests.push(request)
        return new FakeStream(events) as unknown as ExecStream
      }) as never,
    },
    history: new RunHistory(place, stored),
    onError: (error) => void errors.push(error),
    signal: new AbortController().signal,
  })
  return { runner, requests, errors, reloaded: () => new RunHistory(place, stored).runs }
}

const started: ExecEvent = { type: 'start', pid: 7 }
const killed: ExecEvent = { type: 'exit', exit_code: 143 }
const form = { ...emptyForm, line: 'make' }

test('a command runs to its end; its output is kept, and itself remembered over a reload', async () => {
  const { runner, requests, reloaded } = rig([
    started,
    { type: 'stdout', data: 'out\n' },
    { type: 'stderr', data: 'err\n' },
    { type: 'exit', exit_code: 2 },
  ])
  await runner.start(form, { cmd: 'make' })
  const { run, history } = runner.state()
  assert.deepEqual(run?.end?.outcome, { kind: 'exited', exitCode: 2, by: 'itself' })
  assert.deepEqual([run?.output.texts('stdout'), run?.output.texts('stderr')], [['out\n'], ['err\n']])
  assert.deepEqual(requests, [{ cmd: 'make' }])
  assert.deepEqual(history, reloaded())
  assert.deepEqual(
    history.map(({ number, form, outcome }) => ({ number, form, outcome })),
    [{ number: 1, form, outcome: { kind: 'exited', exitCode: 2, by: 'itself' } }],
  )
  runner.forget()
  assert.deepEqual([runner.state().history, reloaded()], [[], []])
})

test('a stop is asked for once, and said to be the reason of the end', async () => {
  const { runner } = rig([started, 'wait', killed])
  const running = runner.start(form, { cmd: 'make' })
  await new Promise(setImmediate)
  runner.stop()
  runner.stop()
  assert.equal(runner.state().run?.isStopping, true)
  await running
  assert.deepEqual(runner.state().run?.end?.outcome, { kind: 'exited', exitCode: 143, by: 'stop' })
})

test('a timeout ends it', async () => {
  const { runner } = rig([started, 'wait', killed])
  await runner.start({ ...form, timeoutSec: 0.05 }, { cmd: 'make' })
  assert.deepEqual(runner.state().run?.end?.outcome, { kind: 'exited', exitCode: 143, by: 'timeout' })
})

test('a refusal is the outcome, with what came before it', async () => {
  const refusal = new WrennError('invalid_state', 'Sandbox is paused; exec needs it running')
  const { runner, errors } = rig([started, { type: 'stdout', data: 'a' }, refusal])
  await runner.start(form, { cmd: 'make' })
  const { run, history } = runner.state()
  assert.deepEqual(errors, [refusal])
  assert.equal(run?.end?.error, refusal)
  assert.deepEqual(run?.output.texts('all'), ['a'])
  assert.deepEqual(history[0]?.outcome, { kind: 'failed', message: refusal.message })
})

test('a history that the browser does not keep is there until the reload', () => {
  const full = storage()
  full.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  const history = new RunHistory({ userId: 'usr-1', sandboxId: 'sb-1' }, full)
  const outcome = { kind: 'exited', exitCode: 0, by: 'itself' } as const
  for (let count = 0; count < 60; count += 1) history.add({ form, startedAtMs: 0, durationMs: 1, outcome })
  assert.equal(history.runs.length, 50)
  assert.equal(history.runs[0]?.number, 60)
})
