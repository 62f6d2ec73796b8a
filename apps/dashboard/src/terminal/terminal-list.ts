// The terminals that this browser tab has open in one sandbox, kept in sessionStorage: a reload, or a visit to another
// page, finds them again. The shells themselves are in the sandbox, and run on whoever looks.

export interface TerminalEntry {
  /** Counts from 1; never used again in this tab. */
  number: number
  /** Of its shell, once that runs. */
  pid?: number
  /** As the shell has named it. */
  title?: string
}

export interface Terminals {
  entries: readonly TerminalEntry[]
  /** The number of the one that is shown; undefined when there is none. */
  shown: number | undefined
  nextNumber: number
}

const first: Terminals = { entries: [{ number: 1 }], shown: 1, nextNumber: 2 }
const maxTitleLength = 80

export class TerminalList {
  readonly #key: string
  readonly #storage: Storage
  readonly #listeners = new Set<() => void>()
  #current: Terminals

  /** A sandbox that was not visited before begins with one. */
  constructor(sandboxId: string, storage: Storage) {
    this.#key = `wrenn.terminals.${sandboxId}`
    this.#storage = storage
    this.#current = read(storage.getItem(this.#key)) ?? first
  }

  get current(): Terminals {
    return this.#current
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  find(number: number): TerminalEntry | undefined {
    return this.#current.entries.find((each) => each.number === number)
  }

  add(): void {
    const { entries, nextNumber: number } = this.#current
    this.#set({ entries: [...entries, { number }], shown: number, nextNumber: number + 1 })
  }

  show(number: number): void {
    this.#set({ ...this.#current, shown: number })
  }

  /** Its neighbour is shown instead. */
  remove(number: number): void {
    const { entries, shown } = this.#current
    const at = entries.findIndex((each) => each.number === number)
    if (at === -1) return
    const rest = entries.filter((each) => each.number !== number)
    const neighbour = rest[Math.min(at, rest.length - 1)]?.number
    this.#set({ ...this.#current, entries: rest, shown: shown === number ? neighbour : shown })
  }

  started(number: number, pid: number): void {
    this.#change(number, (entry) => ({ ...entry, pid }))
  }

  /** Its shell is gone. */
  ended(number: number): void {
    this.#change(number, () => ({ number }))
  }

  /** Whatever a program says that it is called: one line of it, and not too much. */
  rename(number: number, title: string): void {
    const plain = title.replaceAll(/[\p{Cc}\p{Cf}]/gu, '').trim()
    const short = Array.from(plain).slice(0, maxTitleLength).join('')
    this.#change(number, ({ title: _old, ...entry }) => (short === '' ? entry : { ...entry, title: short }))
  }

  #change(number: number, change: (entry: TerminalEntry) => TerminalEntry): void {
    const entries = this.#current.entries.map((each) => (each.number === number ? change(each) : each))
    this.#set({ ...this.#current, entries })
  }

  #set(next: Terminals): void {
    this.#current = next
    this.#storage.setItem(this.#key, JSON.stringify(next))
    for (const listener of this.#listeners) listener()
  }
}

/** Undefined when there is none, or it is not ours. */
function read(text: string | null): Terminals | undefined {
  if (text === null) return undefined
  try {
    const value = JSON.parse(text) as Terminals | null
    return Array.isArray(value?.entries) ? value : undefined
  } catch {
    return undefined
  }
}
