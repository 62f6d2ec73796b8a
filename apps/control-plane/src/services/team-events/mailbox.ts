// What waits for one listener: for each thing its latest state only, so that it stays small however slow the listener
// is, and what is told last is what is so. When even that is too much, the listener looks at everything again.
import type { BaseTemplateRow, SandboxRow, SnapshotRow } from '../../store/schema.ts'

export type TeamEvent =
  | { kind: 'ready' }
  | { kind: 'sandbox'; row: SandboxRow }
  | { kind: 'snapshot'; row: SnapshotRow }
  | { kind: 'baseTemplate'; row: BaseTemplateRow }
  | { kind: 'templateDeleted'; name: string }

/** More things than this at once: then a list is the shorter answer. */
const maxWaiting = 1_000

export class Mailbox {
  readonly #waiting = new Map<string, TeamEvent>()
  /** Nothing is worth telling before the listener knows that it is told everything. */
  #isReady = false
  #isEnded = false
  #wake: () => void = () => undefined

  put(event: TeamEvent): void {
    if (!this.#isReady) return
    const key = keyOf(event)
    // At the end, also when it was there: in the order of what is told last.
    this.#waiting.delete(key)
    this.#waiting.set(key, event)
    if (this.#waiting.size > maxWaiting) this.ready()
    else this.#wake()
  }

  /** From now on everything is told; whoever has looked before looks again. */
  ready(): void {
    this.#waiting.clear()
    this.#waiting.set('', { kind: 'ready' })
    this.#isReady = true
    this.#wake()
  }

  /** Until it is `ready` again. */
  pause(): void {
    this.#waiting.clear()
    this.#isReady = false
  }

  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  /** Until the end. */
  async *take(): AsyncGenerator<TeamEvent, void, undefined> {
    while (!this.#isEnded) {
      const [first] = this.#waiting
      if (first) {
        this.#waiting.delete(first[0])
        yield first[1]
      } else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

function keyOf(event: TeamEvent): string {
  if (event.kind === 'ready') return ''
  if (event.kind === 'sandbox') return `sandbox ${event.row.id}`
  return `template ${event.kind === 'templateDeleted' ? event.name : event.row.name}`
}
