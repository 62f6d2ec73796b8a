// All sandboxes of this host: the state machine of each, and one queue per sandbox, so that what changes it happens one
// after the other. A destroy wins: it cuts a create short. Commands run beside the queue, as long as the state is running.
import { AppError, KeyedQueue, timed, type SandboxId } from '@wrenn/base'
import { commandLines, type StreamRequest } from '../guest/command-stream.ts'
import type { Envd } from '../guest/envd.ts'
import { exec, type ExecRequest, type ExecResult } from '../guest/exec.ts'
import { stopProcess } from '../guest/process.ts'
import { readFile, writeFile, type FileContent, type Upload } from '../guest/files.ts'
import type { Goldens } from './goldens.ts'
import type { Parts } from './parts.ts'
import { makeSandbox, removeSandbox, type LiveSandbox, type SandboxSpec } from './sandbox.ts'

export type SandboxState =
  | { status: 'creating'; spec: SandboxSpec; cut: AbortController }
  | { status: 'running'; live: LiveSandbox }
  | { status: 'destroying'; spec: SandboxSpec }
  | { status: 'failed'; reason: string; live: LiveSandbox }

export class Sandboxes {
  readonly #parts: Parts
  readonly #goldens: Goldens
  readonly #states = new Map<SandboxId, SandboxState>()
  readonly #queue = new KeyedQueue()

  constructor(parts: Parts, goldens: Goldens) {
    this.#parts = parts
    this.#goldens = goldens
  }

  list(): { id: SandboxId; state: SandboxState }[] {
    return [...this.#states].map(([id, state]) => ({ id, state }))
  }

  /** Memory of all guests that run or are about to. */
  promisedMib(): number {
    return [...this.#states.values()]
      .map((state) => ('live' in state ? state.live.record : state.spec).memoryMib)
      .reduce((sum, memoryMib) => sum + memoryMib, 0)
  }

  get(id: SandboxId): SandboxState {
    const state = this.#states.get(id)
    if (!state) throw new AppError('not_found', `there is no sandbox ${id} on this host`)
    return state
  }

  /** Takes over a sandbox whose VM outlived the agent that made it. */
  adopt(live: LiveSandbox): void {
    this.#live(live)
  }

  create(spec: SandboxSpec): Promise<LiveSandbox> {
    if (this.#states.has(spec.id))
      throw new AppError('already_exists', `there is a sandbox ${spec.id} already`)
    const promised = this.promisedMib()
    const cut = new AbortController()
    const signal = AbortSignal.any([cut.signal, this.#parts.stopping])
    this.#states.set(spec.id, { status: 'creating', spec, cut })
    return this.#queue.run(spec.id, async () => {
      const started = performance.now()
      const done = (outcome: string, err?: unknown): void => {
        const durationMs = Math.round(performance.now() - started)
        this.#parts.log.info({
          op: 'sandbox.create',
          outcome,
          sandboxId: spec.id,
          durationMs,
          ...(err ? { err } : {}),
        })
      }
      try {
        await this.#parts.capacity.admit(spec.memoryMib, promised)
        const live = await makeSandbox(this.#parts, this.#goldens, spec, signal)
        this.#live(live)
        done('ok')
        return live
      } catch (error) {
        this.#states.delete(spec.id)
        done('failed', error)
        if (signal.aborted) throw signal.reason
        if (error instanceof AppError) throw error
        throw new AppError('agent_error', 'the sandbox could not be started', { cause: error })
      }
    })
  }

  /** Returns when nothing of it is left. Also when there is none. */
  async destroy(id: SandboxId): Promise<void> {
    const current = this.#states.get(id)
    if (current?.status === 'creating')
      current.cut.abort(new AppError('not_found', `sandbox ${id} was destroyed while it was created`))
    await this.#queue.run(id, async () => {
      const state = this.#states.get(id)
      if (state?.status !== 'running' && state?.status !== 'failed') return
      const { live } = state
      this.#states.set(id, { status: 'destroying', spec: specOf(live) })
      try {
        await removeSandbox(this.#parts, live)
        this.#states.delete(id)
        this.#parts.log.info({ op: 'sandbox.destroy', outcome: 'ok', sandboxId: id })
      } catch (error) {
        this.#states.set(id, { status: 'failed', reason: 'it could not be removed completely', live })
        throw error
      }
    })
  }

  /** Returns when no create and no destroy is under way. */
  settled(): Promise<void> {
    return this.#queue.settled()
  }

  async exec(id: SandboxId, request: ExecRequest): Promise<ExecResult> {
    return timed('exec', () => this.#inGuest(id, (envd) => exec(envd, request)))
  }

  readFile(id: SandboxId, path: string, signal: AbortSignal): Promise<FileContent> {
    return this.#inGuest(id, (envd) => readFile(envd, path, signal))
  }

  writeFile(id: SandboxId, upload: Upload): Promise<void> {
    return this.#inGuest(id, (envd) => writeFile(envd, upload))
  }

  /** Nothing runs until the first line is asked for. */
  streamCommand(id: SandboxId, request: StreamRequest): AsyncGenerator<Buffer> {
    return commandLines(this.#running(id), request)
  }

  /** Returns at once. */
  stopCommand(id: SandboxId, pid: number): void {
    void stopProcess(this.#running(id), pid)
  }

  #running(id: SandboxId): Envd {
    const state = this.get(id)
    if (state.status === 'running') return state.live.envd
    throw new AppError('invalid_state', `sandbox ${id} is ${state.status}, not running`)
  }

  async #inGuest<T>(id: SandboxId, work: (envd: Envd) => Promise<T>): Promise<T> {
    const envd = this.#running(id)
    try {
      return await work(envd)
    } catch (error) {
      if (error instanceof AppError) throw error
      throw new AppError('agent_error', `sandbox ${id} did not answer`, { cause: error })
    }
  }

  #live(live: LiveSandbox): void {
    const { id } = live.record
    this.#states.set(id, { status: 'running', live })
    void live.vm.exited.then(() => {
      const state = this.#states.get(id)
      if (state?.status !== 'running' || state.live !== live) return
      this.#states.set(id, { status: 'failed', reason: 'its VM ended by itself', live })
      this.#parts.log.warn({ op: 'sandbox.exit', outcome: 'failed', sandboxId: id })
    })
  }
}

export function specOf({ record: { id, template, vcpus, memoryMib } }: LiveSandbox): SandboxSpec {
  return { id, template, vcpus, memoryMib }
}
