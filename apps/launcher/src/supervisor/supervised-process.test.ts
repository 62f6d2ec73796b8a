import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { isAlive, pollUntil, readFileIfThere, signalProcess, type ProcessRef } from '@wrenn/base'
import { endLeftover, readPidFile, writePidFile } from './pid-file.ts'
import { StartError, SupervisedProcess, type ProcessSpec } from './supervised-process.ts'

/** Listens on a socket and says so; its environment makes it misbehave. */
const server = `
  const { createServer } = require('node:net')
  const { rmSync } = require('node:fs')
  if (process.env.EXIT_CODE) {
    console.error('PORT: must be a number')
    process.exit(Number(process.env.EXIT_CODE))
  }
  if (process.env.STUBBORN) process.on('SIGTERM', () => console.log('no'))
  rmSync(process.env.SOCKET, { force: true })
  if (process.env.SILENT) setInterval(() => {}, 1000)
  else createServer((socket) => socket.end()).listen(process.env.SOCKET, () => console.log('serving'))
`

describe('a supervised process', () => {
  let folder: string
  let lines: string[] = []
  const processes: SupervisedProcess[] = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wrenn-supervisor-'))
  })

  afterEach(async () => {
    await Promise.all(processes.splice(0).map((process) => process.stop(AbortSignal.abort())))
    lines = []
  })

  after(async () => {
    await rm(folder, { recursive: true })
  })

  function supervise(name: string, more: Partial<ProcessSpec> = {}): SupervisedProcess {
    const supervised = new SupervisedProcess({ ...spec(folder, name), ...more }, (line) => lines.push(line))
    processes.push(supervised)
    return supervised
  }

  it('serves when start returns, runs in a session of its own, and is gone after stop', async () => {
    const supervised = supervise('plain')
    await supervised.start()
    const ref = refOf(supervised)
    await assertServes(join(folder, 'plain.sock'))
    assert.equal(await sessionOf(ref), ref.pid)
    assert.deepEqual(readPidFile(join(folder, 'plain.pid')), ref)
    await supervised.stop()
    assert.ok(!isAlive(ref))
    assert.ok(!existsSync(join(folder, 'plain.pid')))
    assert.deepEqual(lines, [])
  })

  it('runs again within 2 s of a kill -9, with one line about it', async () => {
    const supervised = supervise('killed')
    await supervised.start()
    const before = refOf(supervised)
    signalProcess(before, 'SIGKILL')
    await pollUntil('it runs again', () => lines[0], { timeoutMs: 2_000 })
    await assertServes(join(folder, 'killed.sock'))
    assert.match(lines.join('\n'), /^killed died \(SIGKILL\) and runs again, \d\.\d s later$/)
    assert.notEqual(refOf(supervised).pid, before.pid)
    assert.deepEqual(readPidFile(join(folder, 'killed.pid')), refOf(supervised))
  })

  it('is tried again until it starts', async () => {
    const env: NodeJS.ProcessEnv = { SOCKET: join(folder, 'flaky.sock') }
    const supervised = supervise('flaky', { env })
    await supervised.start()
    env['EXIT_CODE'] = '1'
    signalProcess(refOf(supervised), 'SIGKILL')
    await pollUntil('two attempts failed', () => lines[1], { timeoutMs: 5_000 })
    assert.match(
      lines[0] ?? '',
      /flaky died \(SIGKILL\); starting it again failed, next try in 0.25 s: see .*flaky.log/,
    )
    delete env['EXIT_CODE']
    await pollUntil('it runs again', () => lines.find((line) => line.includes('runs again')), {
      timeoutMs: 5_000,
    })
    await assertServes(join(folder, 'flaky.sock'))
  })

  it('that refuses its settings is not tried again, and its own lines say why', async () => {
    const supervised = supervise('picky', { env: { SOCKET: join(folder, 'picky.sock'), EXIT_CODE: '78' } })
    await assert.rejects(
      supervised.start(),
      (error) =>
        error instanceof StartError &&
        error.badSettings &&
        error.message === 'picky refuses its settings:\n  PORT: must be a number',
    )
    assert.equal(supervised.ref, undefined)
  })

  it('that does not serve in time is killed, and the log is named', async () => {
    const supervised = supervise('silent', {
      env: { SOCKET: join(folder, 'silent.sock'), SILENT: '1' },
      readyTimeoutMs: 300,
    })
    await assert.rejects(
      supervised.start(),
      /silent did not start \(silent serves: not done within 300 ms.*silent\.log/,
    )
    assert.equal(readPidFile(join(folder, 'silent.pid')), undefined)
  })

  it('that cannot be executed at all is a start error', async () => {
    await assert.rejects(
      supervise('absent', { command: ['/nonexistent'] }).start(),
      /absent did not start \(.*ENOENT/,
    )
  })

  it('can be stopped while it starts', async () => {
    const supervised = supervise('starting', { env: { SOCKET: join(folder, 'starting.sock'), SILENT: '1' } })
    const started = assert.rejects(supervised.start())
    const ref = await pollUntil('it is spawned', () => supervised.ref, { timeoutMs: 5_000 })
    await supervised.stop()
    await started
    assert.ok(!isAlive(ref))
  })

  it('that ignores SIGTERM is killed after its grace period, or at once in a hurry', async () => {
    const [slow, quick] = [
      supervise('slow', { env: { SOCKET: join(folder, 'slow.sock'), STUBBORN: '1' }, stopGraceMs: 300 }),
      supervise('quick', {
        env: { SOCKET: join(folder, 'quick.sock'), STUBBORN: '1' },
        stopGraceMs: 600_000,
      }),
    ]
    await Promise.all([slow.start(), quick.start()])
    const refs = [refOf(slow), refOf(quick)]
    await slow.stop()
    const hurry = new AbortController()
    const stopped = quick.stop(hurry.signal)
    await pollUntil('it was asked', async () => (await logOf('quick'))?.includes('no') || undefined, {
      timeoutMs: 5_000,
    })
    hurry.abort()
    await stopped
    assert.deepEqual(refs.map(isAlive), [false, false])
  })

  it('of a launcher that was killed is found by its pid file; another process of that pid is left alone', async () => {
    const supervised = supervise('leftover')
    await supervised.start()
    const ref = refOf(supervised)
    writePidFile(join(folder, 'copy.pid'), { pid: ref.pid, startTime: '1' })
    assert.equal(await endLeftover(join(folder, 'copy.pid'), 1_000), false)
    assert.ok(isAlive(ref))
    writePidFile(join(folder, 'copy.pid'), ref)
    assert.equal(await endLeftover(join(folder, 'copy.pid'), 1_000), true)
    assert.ok(!isAlive(ref))
    await writeFile(join(folder, 'copy.pid'), 'half a fi')
    assert.equal(await endLeftover(join(folder, 'copy.pid'), 1_000), false)
  })

  function logOf(name: string): Promise<string | undefined> {
    return readFileIfThere(join(folder, `${name}.log`))
  }
})

function spec(folder: string, name: string): ProcessSpec {
  return {
    name,
    command: [process.execPath, '--eval', server],
    env: { SOCKET: join(folder, `${name}.sock`) },
    logFile: join(folder, `${name}.log`),
    pidFile: join(folder, `${name}.pid`),
    stopSignal: 'SIGTERM',
    stopGraceMs: 10_000,
    ready: () => assertServes(join(folder, `${name}.sock`)),
    readyTimeoutMs: 10_000,
  }
}

function assertServes(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
  })
}

function refOf(supervised: SupervisedProcess): ProcessRef {
  assert.ok(supervised.ref)
  return supervised.ref
}

/** Field 6 of /proc/PID/stat (proc(5)). */
async function sessionOf({ pid }: ProcessRef): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])
}
