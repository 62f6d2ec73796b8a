// The commands that were run in a sandbox, newest first, for the life of this browser tab. For each user: after an expired
// session somebody else may sign in here.
import type { CommandForm } from './command.ts'

export type Outcome =
  | { kind: 'exited'; exitCode: number; by: 'itself' | 'stop' | 'timeout' }
  /** No exit code came: it was refused, or the connection broke. */
  | { kind: 'failed'; message: string }

export interface PastRun {
  number: number
  form: CommandForm
  startedAtMs: number
  durationMs: number
  outcome: Outcome
}

const maxRuns = 50

export class RunHistory {
  readonly #key: string
  readonly #storage: Storage
  #runs: readonly PastRun[]

  constructor(place: { userId: string; sandboxId: string }, storage: Storage) {
    this.#key = `wrenn.runs.${place.userId}.${place.sandboxId}`
    this.#storage = storage
    this.#runs = read(storage.getItem(this.#key))
  }

  get runs(): readonly PastRun[] {
    return this.#runs
  }

  add(run: Omit<PastRun, 'number'>): void {
    const number = (this.#runs[0]?.number ?? 0) + 1
    this.#runs = [{ ...run, number }, ...this.#runs].slice(0, maxRuns)
    this.#save()
  }

  clear(): void {
    this.#runs = []
    this.#save()
  }

  #save(): void {
    try {
      this.#storage.setItem(this.#key, JSON.stringify(this.#runs))
    } catch {
      // More than a browser keeps (a long standard input): it is there until the page is loaded again.
      this.#storage.removeItem(this.#key)
    }
  }
}

function read(text: string | null): readonly PastRun[] {
  try {
    const value = JSON.parse(text ?? '[]') as PastRun[]
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
