// One long-lived process of the platform: started, watched, started again when it dies, stopped. It runs in a session of
// its own, so that the terminal's ctrl-C reaches only the launcher, and writes its own log file, so that it outlives a
// killed launcher without losing a line; the next launcher finds it by its pid file.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText, pollUntil, processRef, signalProcess, withDeadline, type ProcessRef } from '@wrenn/base'
import { logTail, rotateLog, sizeOf } from './log-file.ts'
import { removePidFile, writePidFile } from './pid-file.ts'

export interface ProcessSpec {
  name: string
  command: readonly [string, ...string[]]
  env: NodeJS.ProcessEnv
  logFile: string
  pidFile: string
  /** Asks it to end. It is killed when it has not within `stopGraceMs`. */
  stopSignal: 'SIGTERM' | 'SIGINT'
  stopGraceMs: number
  /** One attempt, with a time limit of its own: throws while the process does not serve yet. */
  ready: () => Promise<void>
  readyTimeoutMs: number
  /** Removes what an earlier run left in the way. Called before each start, and after a kill. */
  clearLeftovers?: () => Promise<void>
}

/** What `EX_CONFIG` of sysexits(3) says: the settings are wrong, so starting again is of no use. */
const EXIT_BAD_SETTINGS = 78
/** A process that lived this long before it died is started again at once, as after its first death. */
const STABLE_MS = 10_000
const FIRST_BACKOFF_MS = 250
const MAX_BACKOFF_MS = 15_000
const KILL_TIMEOUT_MS = 10_000

/** The process did not come up. The message is for the operator and holds the last lines of its log. */
export class StartError extends Error {
  readonly badSettings: boolean

  constructor(message: string, badSettings: boolean) {
    super(message)
    this.name = 'StartError'
    this.badSettings = badSettings
  }
}

const LATE = Symbol('the grace period is over')

interface Running {
  child: ChildProcess
  ref: ProcessRef | undefined
  startedAt: number
  logOffset: number
  exited: Promise<string>
}

export class SupervisedProcess {
  readonly #spec: ProcessSpec
  readonly #report: (line: string) => void
  readonly #stopping = new AbortController()
  #running: Running | undefined
  /** The start or the healing that is going on. Never rejects. */
  #work: Promise<unknown> = Promise.resolve()
  #quickDeaths = 0

  /** `report` gets one line for each death and each failed attempt to start again. */
  constructor(spec: ProcessSpec, report: (line: string) => void) {
    this.#spec = spec
    this.#report = report
  }

  get name(): string {
    return this.#spec.name
  }

  get ref(): ProcessRef | undefined {
    return this.#running?.ref
  }

  /** Returns when the process serves; from then on it is started again whenever it dies. Throws a StartError. */
  async start(): Promise<void> {
    const launch = this.#launch()
    this.#work = launch.catch(() => undefined)
    this.#watch(await launch)
  }

  /** Ends the process and returns when it is gone. May be called at any time. `hurry` cuts its grace period short. */
  async stop(hurry?: AbortSignal): Promise<void> {
    this.#stopping.abort()
    await this.#work
    if (this.#running) await this.#end(this.#running, hurry)
    removePidFile(this.#spec.pidFile)
  }

  async #launch(): Promise<Running> {
    const { spec, signal } = { spec: this.#spec, signal: this.#stopping.signal }
    await spec.clearLeftovers?.()
    await rotateLog(spec.logFile)
    const logOffset = await sizeOf(spec.logFile)
    signal.throwIfAborted()
    const running = this.#spawn(logOffset)
    this.#running = running
    try {
      await this.#untilReady(running)
      return running
    } catch (error) {
      // A stop ends the process itself, with its grace period.
      if (signal.aborted) throw error
      throw await this.#startError(running, error)
    }
  }

  /** Throws when the process ends before it serves, is too slow, or is to be stopped. */
  async #untilReady(running: Running): Promise<void> {
    const { name, ready, readyTimeoutMs } = this.#spec
    const stopping = this.#stopping.signal
    const settled = new AbortController()
    try {
      await Promise.race([
        pollUntil(`${name} serves`, () => ready().then(() => true as const), {
          timeoutMs: readyTimeoutMs,
          signal: settled.signal,
        }),
        running.exited.then((how) => Promise.reject(new Error(how))),
        new Promise((_resolve, reject) => {
          const abort = (): void => reject(stopping.reason as Error)
          stopping.addEventListener('abort', abort, { signal: settled.signal })
        }),
      ])
    } finally {
      settled.abort()
    }
  }

  #spawn(logOffset: number): Running {
    const [command, ...args] = this.#spec.command
    const log = openSync(this.#spec.logFile, 'a', 0o600)
    try {
      const child = spawn(command, args, {
        stdio: ['ignore', log, log],
        env: this.#spec.env,
        cwd: '/',
        detached: true,
      })
      const ref = child.pid === undefined ? undefined : processRef(child.pid)
      if (ref) writePidFile(this.#spec.pidFile, ref)
      const exited = new Promise<string>((resolve) => {
        child.on('error', (error) => resolve(error.message))
        child.on('exit', (code, killedBy) => resolve(killedBy ?? `exit code ${code}`))
      })
      return { child, ref, startedAt: performance.now(), logOffset, exited }
    } finally {
      closeSync(log)
    }
  }

  async #startError(running: Running, cause: unknown): Promise<StartError> {
    const badSettings = running.child.exitCode === EXIT_BAD_SETTINGS
    await this.#kill(running)
    this.#running = undefined
    const lines = await logTail(this.#spec.logFile, running.logOffset)
    const text = lines.map((line) => `\n  ${line}`).join('')
    if (badSettings) return new StartError(`${this.#spec.name} refuses its settings:${text}`, true)
    return new StartError(
      `${this.#spec.name} did not start (${errorText(cause)}), log ${this.#spec.logFile}:${text}`,
      false,
    )
  }

  #watch(running: Running): void {
    void (async () => {
      const how = await running.exited
      if (!this.#stopping.signal.aborted) this.#work = this.#heal(running, how)
    })()
  }

  /** Starts it again until it serves: at once after a first death, with growing pauses when it dies quickly. */
  async #heal(died: Running, how: string): Promise<void> {
    const { name, logFile } = this.#spec
    const diedAt = performance.now()
    if (diedAt - died.startedAt > STABLE_MS) this.#quickDeaths = 0
    while (!this.#stopping.signal.aborted) {
      const pauseMs = backoffMs(this.#quickDeaths++)
      try {
        if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: this.#stopping.signal })
        const running = await this.#launch()
        const seconds = ((performance.now() - diedAt) / 1000).toFixed(1)
        this.#report(`${name} died (${how}) and runs again, ${seconds} s later`)
        this.#watch(running)
        return
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        const next = backoffMs(this.#quickDeaths) / 1000
        this.#report(`${name} died (${how}); starting it again failed, next try in ${next} s: see ${logFile}`)
        if (!(error instanceof StartError)) this.#report(errorText(error))
      }
    }
  }

  async #end(running: Running, hurry: AbortSignal | undefined): Promise<void> {
    if (running.ref) signalProcess(running.ref, this.#spec.stopSignal)
    const grace = sleep(this.#spec.stopGraceMs, LATE, { ref: false, ...(hurry ? { signal: hurry } : {}) })
    const how = await Promise.race([running.exited, grace.catch(() => LATE)])
    if (how === LATE) await this.#kill(running)
  }

  async #kill(running: Running): Promise<void> {
    if (running.ref) signalProcess(running.ref, 'SIGKILL')
    await withDeadline(`${this.#spec.name} is gone`, KILL_TIMEOUT_MS, running.exited)
    await this.#spec.clearLeftovers?.()
  }
}

function backoffMs(quickDeaths: number): number {
  return quickDeaths === 0 ? 0 : Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (quickDeaths - 1))
}
