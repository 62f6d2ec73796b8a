// Runs commands in one sandbox, one after the other. Not bound to the page: a command goes on while another page of the app
// is shown, and ends with the browser tab, or with the session.
import { WrennError, type ExecStream, type Sandboxes, type StreamRequest } from '@wrenn/sdk'
import { describeError } from '../ui/describe-error.ts'
import type { CommandForm } from './command.ts'
import type { Outcome, PastRun, RunHistory } from './history.ts'
import { Output } from './output.ts'

export interface Run {
  form: CommandForm
  startedAtMs: number
  output: Output
  /** Undefined while it runs. */
  end?: { outcome: Outcome; durationMs: number; error?: unknown }
  /** It was asked to end. */
  isStopping: boolean
}

export interface RunnerState {
  run: Run | undefined
  history: readonly PastRun[]
}

export interface RunnerOptions {
  sandboxId: string
  sandboxes: Pick<Sandboxes, 'execStream'>
  history: RunHistory
  /** Of every command that failed to run to its end. */
  onError: (error: unknown) => void
  /** Ends what runs. */
  signal: AbortSignal
}

export class Runner {
  readonly #options: RunnerOptions
  readonly #listeners = new Set<() => void>()
  #state: RunnerState
  #stream: ExecStream | undefined
  #endedBy: 'itself' | 'stop' | 'timeout' = 'itself'

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#state = { run: undefined, history: options.history.runs }
  }

  readonly state = (): RunnerState => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when it has ended, however. One that runs must have ended before. */
  async start(form: CommandForm, request: StreamRequest): Promise<void> {
    const { history } = this.#options
    const output = new Output()
    const startedAtMs = Date.now()
    const started = performance.now()
    this.#endedBy = 'itself'
    this.#set({ run: { form, startedAtMs, output, isStopping: false } })
    const { timeoutSec } = form
    const timer = timeoutSec === null ? undefined : setTimeout(() => this.#end('timeout'), timeoutSec * 1_000)
    const end = await this.#outcome(request, output)
    clearTimeout(timer)
    const durationMs = performance.now() - started
    history.add({ form, startedAtMs, durationMs, outcome: end.outcome })
    this.#set({ run: { form, startedAtMs, output, isStopping: false, end: { ...end, durationMs } } })
  }

  /** SIGTERM, and SIGKILL after 5 s. */
  stop(): void {
    this.#end('stop')
  }

  forget(): void {
    this.#options.history.clear()
    this.#set({})
  }

  async #outcome(request: StreamRequest, output: Output): Promise<{ outcome: Outcome; error?: unknown }> {
    const { sandboxId, sandboxes, signal, onError } = this.#options
    try {
      const stream = sandboxes.execStream(sandboxId, request, { signal })
      this.#stream = stream
      for await (const event of stream) {
        if (event.type === 'exit')
          return { outcome: { kind: 'exited', exitCode: event.exit_code, by: this.#endedBy } }
        if (event.type !== 'start') output.append(event.type, event.data)
      }
      throw new WrennError('network_error', 'The connection ended before the command did')
    } catch (error) {
      onError(error)
      return { outcome: { kind: 'failed', message: describeError(error).message }, error }
    } finally {
      this.#stream = undefined
    }
  }

  #end(by: 'stop' | 'timeout'): void {
    const { run } = this.#state
    if (!this.#stream || !run || run.isStopping) return
    this.#endedBy = by
    this.#stream.stop()
    this.#set({ run: { ...run, isStopping: true } })
  }

  #set(change: { run?: Run }): void {
    this.#state = { ...this.#state, ...change, history: this.#options.history.runs }
    for (const listener of this.#listeners) listener()
  }
}
