// The sandboxes of this host by id: the state of each, and one queue per sandbox, so that what changes it happens one
// after the other, with one line in the log.
import { AppError, KeyedQueue, type Logger, type SandboxId } from '@wrenn/base'
import { holdsMemory, notLegal, specOf, type SandboxState, type Status } from './states.ts'

export class StateTable {
  readonly #states = new Map<SandboxId, SandboxState>()
  readonly #queue = new KeyedQueue()
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  list(): { id: SandboxId; state: SandboxState }[] {
    return [...this.#states].map(([id, state]) => ({ id, state }))
  }

  find(id: SandboxId): SandboxState | undefined {
    return this.#states.get(id)
  }

  /** Throws `not_found`. */
  get(id: SandboxId): SandboxState {
    const state = this.#states.get(id)
    if (!state) throw new AppError('not_found', `there is no sandbox ${id} on this host`)
    return state
  }

  /** The state, when it is the one that is needed. Throws `invalid_state`. */
  need<S extends Status>(id: SandboxId, needed: S): Extract<SandboxState, { status: S }> {
    const state = this.get(id)
    if (state.status === needed) return state as Extract<SandboxState, { status: S }>
    throw notLegal(id, state, needed)
  }

  /** A destroy that came first leaves nothing to change. */
  mustBe(id: SandboxId, state: SandboxState): void {
    if (this.#states.get(id) !== state) throw new AppError('not_found', `sandbox ${id} was destroyed`)
  }

  set<State extends SandboxState>(id: SandboxId, state: State): State {
    const before = this.#states.get(id)
    if (before?.status === 'running') before.idle.stop()
    this.#states.set(id, state)
    return state
  }

  delete(id: SandboxId): void {
    this.#states.delete(id)
  }

  /** Memory of all guests that run or are about to. */
  promisedMib(): number {
    return [...this.#states.values()]
      .filter(holdsMemory)
      .reduce((sum, state) => sum + specOf(state).memoryMib, 0)
  }

  /** Nobody waits for a VM. */
  isQuiet(): boolean {
    return [...this.#states.values()].every(({ status }) => status !== 'creating' && status !== 'resuming')
  }

  /** In the sandbox's queue, with one line in the log. */
  transition<T>(op: string, id: SandboxId, work: () => Promise<T>): Promise<T> {
    return this.#queue.run(id, async () => {
      const started = performance.now()
      const done = (outcome: string, err?: unknown): void => {
        const durationMs = Math.round(performance.now() - started)
        const line = { op: `sandbox.${op}`, outcome, sandboxId: id, durationMs }
        if (err === undefined) this.#log.info(line)
        else this.#log.warn({ ...line, err })
      }
      try {
        const result = await work()
        done('ok')
        return result
      } catch (error) {
        done('failed', error)
        throw error
      }
    })
  }

  /** In the sandbox's queue, behind the transition under way. */
  after(id: SandboxId, work: () => Promise<void>): Promise<void> {
    return this.#queue.run(id, work)
  }

  /** Returns when no transition is under way. */
  settled(): Promise<void> {
    return this.#queue.settled()
  }
}
