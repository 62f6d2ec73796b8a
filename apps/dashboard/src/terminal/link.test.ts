// What a link makes of what can happen to a terminal: a connection that breaks, a shell that ends, a refusal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { WrennError, type PtyEvent, type PtyRequest } from '@wrenn/sdk'
import { Link, type LinkState } from './link.ts'

type Step = PtyEvent | Error

/** Each connection plays its steps, and then stays open until the end of the test. */
function rig({ connections, pid }: { connections: Step[][]; pid?: number }) {
  const controller = new AbortController()
  const seen = {
    requests: [] as PtyRequest[],
    typed: [] as string[],
    shown: '',
    states: [] as LinkState[],
    pids: [] as number[],
    errors: [] as unknown[],
  }
  async function* play(steps: readonly Step[]): AsyncGenerator<PtyEvent> {
    for (const step of steps) {
      if (step instanceof Error) throw step
      yield step
    }
    if (!controller.signal.aborted)
      await new Promise((resolve) => controller.signal.addEventListener('abort', resolve))
  }
  const link = new Link({
    open: (request) => {
      seen.requests.push(request)
      const steps = connections[seen.requests.length - 1] ?? []
      return {
        write: (text) => void seen.typed.push(text),
        resize: () => undefined,
        [Symbol.asyncIterator]: () => play(steps),
      }
    },
    screen: {
      size: { cols: 100, rows: 30 },
      write: (text) => {
        seen.shown += text
        return undefined
      },
      clear: () => {
        seen.shown = ''
      },
    },
    pid,
    onPid: (pid) => void seen.pids.push(pid),
    onState: (state) => void seen.states.push(state),
    onError: (error) => void seen.errors.push(error),
    signal: controller.signal,
  })
  return { link, seen, end: () => controller.abort() }
}

const size = { cols: 100, rows: 30 }
const started: PtyEvent = { type: 'start', pid: 7 }
const output = (data: string): PtyEvent => ({ type: 'output', data })
const kinds = (states: readonly LinkState[]): string[] => states.map(({ kind }) => kind)

test('a connection that breaks is made again, to the same shell, whose output is not shown twice', async () => {
  const broken = new WrennError('network_error', 'The connection broke (1006)')
  const { link, seen, end } = rig({
    connections: [[started, output('one '), broken], [broken], [started, output('one '), output('two')]],
  })
  const running = link.run()
  await pollUntil('it shows all', () => seen.shown === 'one two' || undefined, { timeoutMs: 30_000 })
  assert.deepEqual(seen.requests, [size, { pid: 7, ...size }, { pid: 7, ...size }])
  assert.deepEqual(kinds(seen.states), ['opening', 'open', 'lost', 'lost', 'open'])
  assert.deepEqual(seen.errors, [broken, broken])
  end()
  await running
})

test('a shell that ran before is attached to; one that is gone is not tried again, and another can be started', async () => {
  const gone = new WrennError('not_found', 'There is no terminal 9')
  const { link, seen, end } = rig({ connections: [[gone], [started, output('$ ')]], pid: 9 })
  await link.run()
  assert.deepEqual(seen.requests, [{ pid: 9, ...size }])
  assert.deepEqual(kinds(seen.states), ['opening', 'gone'])
  const running = link.runAnew()
  await pollUntil('a new one runs', () => seen.shown === '$ ' || undefined, { timeoutMs: 30_000 })
  assert.deepEqual(seen.requests[1], size)
  assert.deepEqual(seen.pids, [7])
  end()
  await running
})

test('a program that writes more than can be shown is joined again at once, without a word', async () => {
  const { link, seen, end } = rig({
    connections: [
      [started, output('y'), new WrennError('slow_reader', '')],
      [started, output('later')],
    ],
  })
  const running = link.run()
  await pollUntil('it goes on', () => seen.shown === 'later' || undefined, { timeoutMs: 30_000 })
  assert.deepEqual(kinds(seen.states), ['opening', 'open', 'open'])
  assert.deepEqual(seen.errors, [])
  end()
  await running
})

test('the exit code of the shell is its last word', async () => {
  const { link, seen } = rig({ connections: [[started, { type: 'exit', exit_code: 3 }]] })
  await link.run()
  assert.deepEqual(seen.states.at(-1), { kind: 'ended', exitCode: 3 })
})

test('a refusal is shown and not repeated', async () => {
  for (const code of ['unauthorized', 'invalid_request', 'not_found']) {
    const error = new WrennError(code, 'no')
    const { link, seen } = rig({ connections: [[error]] })
    await link.run()
    assert.deepEqual(seen.states.at(-1), { kind: 'refused', error }, code)
    assert.deepEqual(seen.errors, [error])
  }
})

test('what is typed goes to the open connection, and nowhere while there is none', async () => {
  const { link, seen, end } = rig({ connections: [[started], []] })
  link.type('early')
  const running = link.run()
  link.type('a')
  end()
  await running
  link.type('late')
  assert.deepEqual(seen.typed, ['a'])
})
