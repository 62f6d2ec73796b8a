// What changes in the database, told by its triggers (migrations/0013) as it is committed: one connection that listens,
// and comes back by itself. While it is away nothing is told: whoever wants to know looks again when it is back.
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText, type Logger, type SandboxId, type TeamId } from '@wrenn/base'
import { Client } from 'pg'
import type { SandboxRow } from './schema.ts'

export type Change =
  | { kind: 'sandbox'; teamId: TeamId; id: SandboxId }
  /** Its last_active_at alone. */
  | { kind: 'activity'; teamId: TeamId; id: SandboxId }
  /** It came to nothing: as it was last. */
  | { kind: 'gone'; row: SandboxRow }
  /** New, replaced or gone. Without a team: a base template. */
  | { kind: 'template'; teamId?: TeamId; name: string }

export interface ChangesOptions {
  databaseUrl: string
  onChange: (change: Change) => void
  /** From now on every change is told; what was before may have been missed. */
  onListening: () => void
  onLost: () => void
  logger: Logger
}

const channel = 'wrenn_changes'
const connectTimeoutMs = 3_000
const queryTimeoutMs = 5_000
/** A connection that is silently gone is noticed by this. */
const probeMs = 5_000
const restMs = 500

export class Changes {
  readonly #options: ChangesOptions
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>

  /** Listens from now on, until `close`. */
  constructor(options: ChangesOptions) {
    this.#options = options
    this.#ended = this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    const { logger, onLost } = this.#options
    let failing = false
    while (!signal.aborted) {
      try {
        await this.#listen(() => {
          if (failing) logger.info({ op: 'listenForChanges', outcome: 'works again' })
          failing = false
        })
      } catch (error) {
        if (!failing) logger.warn({ op: 'listenForChanges', outcome: 'lost', reason: errorText(error) })
        failing = true
      }
      onLost()
      await sleep(restMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Returns when it is stopped; throws when the connection is lost. */
  async #listen(onListening: () => void): Promise<void> {
    const { signal } = this.#stop
    const client = new Client({
      connectionString: this.#options.databaseUrl,
      application_name: 'wrenn-control-plane-changes',
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: queryTimeoutMs,
      keepAlive: true,
    })
    const over = new AbortController()
    const stopped = (): void => over.abort()
    signal.addEventListener('abort', stopped)
    client.on('error', (error) => over.abort(error))
    client.on('end', () => over.abort(new Error('the connection ended')))
    client.on('notification', ({ payload = '' }) => this.#options.onChange(changeFrom(payload)))
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
      onListening()
      this.#options.onListening()
      for (;;) {
        await sleep(probeMs, undefined, { signal: over.signal, ref: false }).catch(() => undefined)
        if (signal.aborted) return
        over.signal.throwIfAborted()
        await client.query('select 1')
      }
    } finally {
      signal.removeEventListener('abort', stopped)
      // The server may be gone: nothing waits for its goodbye.
      client.end().catch(() => undefined)
    }
  }
}

function changeFrom(payload: string): Change {
  const change = JSON.parse(payload) as { kind: string; row?: Record<string, unknown> }
  return change.kind === 'gone' ? { kind: 'gone', row: rowFrom(change.row ?? {}) } : (change as Change)
}

/** A row as JSON has it: names as in the database, times as text. */
function rowFrom(json: Record<string, unknown>): SandboxRow {
  const entries = Object.entries(json).map(([name, value]) => {
    const ours = name.replaceAll(/_(\w)/g, (_match, letter: string) => letter.toUpperCase())
    return [ours, /_at$|last_updated$/.test(name) && typeof value === 'string' ? new Date(value) : value]
  })
  return Object.fromEntries(entries) as SandboxRow
}
