import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { afterEach, test } from 'node:test'
import { pollUntil } from './deadline.ts'
import { isErrno } from './files.ts'
import { endProcess, isAlive, processRef, signalProcess, type ProcessRef } from './processes.ts'

/** Each leads a process group, so that nothing that it has started outlives its test. */
const children = new Set<ChildProcess>()
afterEach(() => {
  for (const { pid } of children) if (pid !== undefined) endGroup(pid)
  children.clear()
})

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

/** A shell that has run its script up to `echo ready`. */
async function started(
  script: string,
): Promise<{ child: ChildProcess; ref: ProcessRef; output: () => string }> {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] })
  children.add(child)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await pollUntil('the script is ready', () => text.includes('ready') || undefined, { timeoutMs: 10_000 })
  const ref = processRef(child.pid ?? 0)
  assert.ok(ref)
  return { child, ref, output: () => text }
}

test('a running process is named by its pid and start time', () => {
  const ref = processRef(process.pid)
  assert.equal(ref?.pid, process.pid)
  assert.match(ref?.startTime ?? '', /^\d+$/)
  assert.deepEqual(processRef(process.pid), ref)
})

test('a pid that nobody has is no process', () => {
  assert.equal(processRef(2 ** 22 + 1), undefined)
})

test('a command name with spaces and parentheses is no obstacle', async () => {
  const { ref } = await started('printf ") Z 1 (" > /proc/$$/comm; echo ready; read line')
  assert.ok(isAlive(ref))
  assert.match(ref.startTime, /^\d+$/)
})

test('another process with the same pid is not taken for the old one', async () => {
  const { ref } = await started('echo ready; read line')
  const former = { ...ref, startTime: String(Number(ref.startTime) - 1) }
  assert.ok(isAlive(ref))
  assert.ok(!isAlive(former))
  assert.equal(signalProcess(former, 'SIGKILL'), false)
  await endProcess(former, 0)
  assert.ok(isAlive(ref))
})

test('a zombie is gone', async () => {
  // The shell becomes a program that never waits for the child it had.
  const { output } = await started('sleep 60 & echo "child $! ready"; exec tail -f /dev/null')
  const zombie = Number(/child (\d+)/.exec(output())?.[1])
  const ref = processRef(zombie)
  assert.ok(ref)
  process.kill(zombie, 'SIGKILL')
  await pollUntil('it is a zombie', () => (isAlive(ref) ? undefined : true), { timeoutMs: 10_000 })
  process.kill(zombie, 0) // throws when there is no such process
  assert.equal(processRef(zombie), undefined)
  assert.equal(signalProcess(ref, 'SIGKILL'), false)
})

test('a process may end itself on SIGTERM', async () => {
  const { child, ref, output } = await started(
    'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.01; done',
  )
  const closed = new Promise((resolve) => child.once('close', resolve))
  await endProcess(ref, 10_000)
  assert.ok(!isAlive(ref))
  await closed
  assert.match(output(), /bye/)
})

test('a process that ignores SIGTERM is killed after its grace', async () => {
  const { child, ref } = await started('trap "" TERM; echo ready; while :; do sleep 0.01; done')
  const began = performance.now()
  await endProcess(ref, 100)
  assert.ok(!isAlive(ref))
  assert.ok(performance.now() - began >= 100)
  assert.equal(child.signalCode ?? 'SIGKILL', 'SIGKILL')
})

test('without grace a process is killed at once, and ending it again is fine', async () => {
  const { ref } = await started('trap "exit 0" TERM; echo ready; while :; do sleep 0.01; done')
  await endProcess(ref, 0)
  assert.ok(!isAlive(ref))
  await endProcess(ref, 1000)
})
