// What changes in the database, told by its triggers (migrations/0013) as it is committed: one connection that listens,
// and comes back by itself. While it is away nothing is told: whoever wants to know looks again when it is back.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeadlineError, errorText, pollUntil, type Logger, type SandboxId, type TeamId } from '@wrenn/base'
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
/** A connection that is silently gone is noticed by this, too. */
const renewMs = 5_000
const registeredSec = 30
/** Longer than any transaction of ours may take; another program's on the same server may take longer. */
const othersMs = 10_000
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
      const id = await register(client, over.signal)
      onListening()
      this.#options.onListening()
      for (;;) {
        await sleep(renewMs, undefined, { signal: over.signal, ref: false }).catch(() => undefined)
        if (signal.aborted) return await unregister(client, id)
        over.signal.throwIfAborted()
        await renew(client, id)
      }
    } finally {
      signal.removeEventListener('abort', stopped)
      // The server may be gone: nothing waits for its goodbye.
      client.end().catch(() => undefined)
    }
  }
}

/** Returns when everybody who changes something tells it. */
async function register(client: Client, signal: AbortSignal): Promise<string> {
  const id = randomUUID()
  await client.query(`insert into listeners values ($1, now() + make_interval(secs => ${registeredSec}))`, [
    id,
  ])
  // Who changes something has a transaction id by then, and whoever has one from here on has seen the row.
  const { rows } = await client.query<{ next: string }>(
    'select pg_snapshot_xmax(pg_current_snapshot())::text as next',
  )
  const isOver = async (): Promise<true | undefined> => {
    const oldest = 'select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as over'
    const answer = await client.query<{ over: boolean }>(oldest, [rows[0]?.next])
    return answer.rows[0]?.over || undefined
  }
  try {
    await pollUntil('changes from before are over', isOver, { timeoutMs: othersMs, signal })
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
  }
  return id
}

/** Throws when it was not renewed in time: it may have been told less than everything. */
async function renew(client: Client, id: string): Promise<void> {
  const { rowCount } = await client.query(
    `update listeners set until = now() + make_interval(secs => ${registeredSec}) where id = $1 and until > now()`,
    [id],
  )
  if (rowCount !== 1) throw new Error('the listener was not renewed in time')
}

async function unregister(client: Client, id: string): Promise<void> {
  await client.query('delete from listeners where id = $1 or until < now()', [id])
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
