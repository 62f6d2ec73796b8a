// Lookups by key on the path of every request, joined: those of one turn of the event loop share a query, and those that
// come while it is under way share the next. So a busy control plane asks Postgres once for dozens of requests, and an
// idle one at once. Every query starts
// after the requests that it answers had come: nobody sees a row that was gone before they asked.
import { outsideRequests } from '@wrenn/base'
import type { Database } from './database.ts'

/** Rows by the keys that were asked for; a key without a row is left out. */
type Fetch<Row> = (keys: string[]) => Promise<ReadonlyMap<string, Row>>

interface Batch<Row> {
  keys: Set<string>
  rows: PromiseWithResolvers<ReadonlyMap<string, Row>>
}

/** A query that takes longer (a connection that hangs) holds up nobody else: the next one starts beside it. */
const patienceMs = 200

/** When a query fails, everybody who shares it gets its error. */
export function joined<Row>(
  fetch: (db: Database, keys: string[]) => Promise<ReadonlyMap<string, Row>>,
): (db: Database, key: string) => Promise<Row | undefined> {
  const lookups = new WeakMap<Database, Lookups<Row>>()
  return (db, key) => {
    const ours = lookups.get(db) ?? new Lookups((keys) => fetch(db, keys))
    lookups.set(db, ours)
    return ours.load(key)
  }
}

class Lookups<Row> {
  readonly #fetch: Fetch<Row>
  #next: Batch<Row> | undefined
  /** A query is under way, or about to be, that the next one waits for. */
  #isWaiting = false

  constructor(fetch: Fetch<Row>) {
    this.#fetch = fetch
  }

  async load(key: string): Promise<Row | undefined> {
    const batch = (this.#next ??= { keys: new Set(), rows: Promise.withResolvers() })
    batch.keys.add(key)
    if (!this.#isWaiting) {
      this.#isWaiting = true
      outsideRequests(() => setImmediate(() => this.#start()))
    }
    return (await batch.rows.promise).get(key)
  }

  #start(): void {
    const batch = this.#next
    this.#next = undefined
    this.#isWaiting = batch !== undefined
    if (!batch) return
    const fetched = this.#fetch([...batch.keys])
    let isOver = false
    const goOn = (): void => {
      clearTimeout(patience)
      if (!isOver) this.#start()
      isOver = true
    }
    const patience = setTimeout(goOn, patienceMs)
    batch.rows.resolve(fetched)
    fetched.then(goOn, goOn)
  }
}
