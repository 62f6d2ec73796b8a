// Sandboxes: their life, commands and files. With an API key or a session's token. Data is as on the wire, snake_case.
import { ExecStream, type ExecStreamOptions } from './exec-stream.ts'
import { Files } from './files.ts'
import type { Http } from './http.ts'
import type { CallOptions } from './limit.ts'
import { randomHex } from './random.ts'
import { Pty, type PtyOptions, type PtyRequest } from './pty.ts'
import type { OpenWebSocket } from './sockets.ts'
import type {
  CreateSandbox,
  ExecRequest,
  ExecResult,
  Metrics,
  Sandbox,
  SandboxEvent,
  SandboxStatus,
  StreamRequest,
} from './wire.ts'

/** Which sandboxes to list. */
export interface SandboxFilter {
  /** When left out: all but stopped ones. */
  status?: SandboxStatus | undefined
  /** Only those that have all of these. */
  metadata?: Readonly<Record<string, string>> | undefined
}

export interface CreateOptions extends CallOptions {
  /**
   * 1 to 255 characters: for 24 hours the same key and body get the first answer again. When left out, one is made up
   * for each call, so that its own retries create nothing twice.
   */
  idempotencyKey?: string | undefined
}

/** Booting a template for the first time in a size, and saving much memory, take their time. */
export const changeTimeoutMs = 300_000
const defaultExecSec = 30
const execGraceMs = 30_000
const pageSize = 100

export class Sandboxes {
  readonly files: Files
  readonly #http: Http
  readonly #open: OpenWebSocket | undefined

  constructor(http: Http, open: OpenWebSocket | undefined) {
    this.#http = http
    this.#open = open
    this.files = new Files(http)
  }

  /**
   * Creates one; returned, it runs commands. `memory_mb` is MiB, rounded up to a multiple of 128; `timeout_sec` of
   * idleness pause or destroy it, 0 never. Throws `not_found` (no such template), `invalid_request`, `limit_reached`,
   * `no_capacity`, `agent_error`, `idempotency_conflict`.
   */
  create(request: CreateSandbox = {}, options: CreateOptions = {}): Promise<Sandbox> {
    const { idempotencyKey = randomHex(16), timeoutMs = changeTimeoutMs, signal } = options
    return this.#http.call('post', '/v1/sandboxes', {
      body: request,
      headers: { 'idempotency-key': idempotencyKey },
      repeat: 'safe',
      timeoutMs,
      signal,
    })
  }

  /** Also one that is stopped: `status_reason` says why. Throws `not_found`. */
  get(id: string, options: CallOptions = {}): Promise<Sandbox> {
    return this.#http.call('get', '/v1/sandboxes/{id}', { ...options, params: { id } })
  }

  /** The team's, newest first, fetched page by page as the loop goes on; the time limit is each page's. */
  async *list(
    filter: SandboxFilter = {},
    options: CallOptions = {},
  ): AsyncGenerator<Sandbox, void, undefined> {
    let cursor: string | undefined
    do {
      const page = await this.listPage({ ...filter, limit: pageSize, cursor }, options)
      yield* page.sandboxes
      cursor = page.nextCursor
    } while (cursor !== undefined)
  }

  /** One page of `limit` (1 to 1,000) sandboxes, and where the next begins: undefined after the last. */
  async listPage(
    filter: SandboxFilter & { limit?: number | undefined; cursor?: string | undefined } = {},
    { signal, timeoutMs }: CallOptions = {},
  ): Promise<{ sandboxes: Sandbox[]; nextCursor: string | undefined }> {
    const { status, metadata = {}, limit = pageSize, cursor } = filter
    const labels = Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value])
    const query = { status, limit, cursor, ...(Object.fromEntries(labels) as Record<string, string>) }
    const { body, link } = await this.#http.page('get', '/v1/sandboxes', { query, signal, timeoutMs })
    return { sandboxes: body, nextCursor: nextCursor(link) }
  }

  /** What has happened to it, newest first, fetched page by page; also when it is stopped. Throws `not_found`. */
  async *events(id: string, options: CallOptions = {}): AsyncGenerator<SandboxEvent, void, undefined> {
    let cursor: string | undefined
    do {
      const page = await this.eventsPage(id, { cursor }, options)
      yield* page.events
      cursor = page.nextCursor
    } while (cursor !== undefined)
  }

  /** One page of `limit` (1 to 1,000) events, and where the next begins: undefined after the last. */
  async eventsPage(
    id: string,
    { limit = pageSize, cursor }: { limit?: number | undefined; cursor?: string | undefined } = {},
    { signal, timeoutMs }: CallOptions = {},
  ): Promise<{ events: SandboxEvent[]; nextCursor: string | undefined }> {
    const call = { params: { id }, query: { limit, cursor }, signal, timeoutMs }
    const { body, link } = await this.#http.page('get', '/v1/sandboxes/{id}/events', call)
    return { events: body, nextCursor: nextCursor(link) }
  }

  /** Ends it and removes its disk. Also when it is stopped already. Throws `not_found`. */
  async destroy(id: string, options: CallOptions = {}): Promise<void> {
    await this.#http.call('delete', '/v1/sandboxes/{id}', { ...options, params: { id } })
  }

  /** Saves memory and disk and gives everything back. Throws `invalid_state` when it is not running, or changing. */
  pause(id: string, { timeoutMs = changeTimeoutMs, signal }: CallOptions = {}): Promise<Sandbox> {
    return this.#http.call('post', '/v1/sandboxes/{id}/pause', { params: { id }, timeoutMs, signal })
  }

  /** Its processes go on where they were. Throws `invalid_state` when it is not paused, `no_capacity`. */
  resume(id: string, { timeoutMs = changeTimeoutMs, signal }: CallOptions = {}): Promise<Sandbox> {
    return this.#http.call('post', '/v1/sandboxes/{id}/resume', { params: { id }, timeoutMs, signal })
  }

  /** Counts as activity: `timeout_sec` begins anew. Throws `invalid_state` when it is not running. */
  async ping(id: string, options: CallOptions = {}): Promise<void> {
    await this.#http.call('post', '/v1/sandboxes/{id}/ping', { ...options, params: { id }, repeat: 'safe' })
  }

  /**
   * CPU, memory and disk as the guest sees them now. No activity: asking keeps no sandbox from being paused. Throws
   * `invalid_state` when it is not running.
   */
  metrics(id: string, options: CallOptions = {}): Promise<Metrics> {
    return this.#http.call('get', '/v1/sandboxes/{id}/metrics', { ...options, params: { id } })
  }

  /**
   * Runs a command to its end: no shell, in /root, as root, unless said otherwise. Any `exit_code` is an answer, not an
   * error: 124 after `timeout_sec` (30 when left out, 3,600 at most), 126 not executable, 127 not found. Output is cut
   * at 16 MiB a stream. Never sent twice. Node's fetch waits 300 s for an answer: use `execStream` for longer ones.
   * Throws `invalid_state` when the sandbox is not running, or paused meanwhile.
   */
  exec(id: string, request: ExecRequest, options: CallOptions = {}): Promise<ExecResult> {
    const limitMs = (request.timeout_sec ?? defaultExecSec) * 1_000 + execGraceMs
    const { timeoutMs = limitMs, signal } = options
    const body = request
    return this.#http.call('post', '/v1/sandboxes/{id}/exec', { params: { id }, body, timeoutMs, signal })
  }

  /**
   * Runs a command and gives its output as it comes: iterate what is returned. `encoding: 'base64'` in the request
   * gives the bytes as they are (Uint8Array), else they are taken for UTF-8 (string).
   * Here it throws only when there is no way to open a WebSocket (`unsupported`), or the signal has aborted already.
   */
  execStream(
    id: string,
    request: StreamRequest & { encoding: 'base64' },
    options?: ExecStreamOptions,
  ): ExecStream<Uint8Array>
  execStream(
    id: string,
    request: StreamRequest & { encoding?: 'utf-8' },
    options?: ExecStreamOptions,
  ): ExecStream
  execStream(
    id: string,
    request: StreamRequest & { encoding?: 'utf-8' | 'base64' },
    options: ExecStreamOptions = {},
  ): ExecStream<string | Uint8Array> {
    return new ExecStream({ http: this.#http, open: this.#open, id }, request, options)
  }

  /**
   * Opens a terminal, the login shell when no `cmd` is named, or attaches to one that runs, by its `pid`: iterate what
   * is returned, `write` what is typed. Detached it runs on, also through pause and resume; attached it counts as
   * activity. While iterating it throws, beside what `execStream` does, `not_found` when there is no such terminal, and
   * `invalid_state` when the sandbox is paused: attach again once it runs.
   */
  pty(id: string, request: PtyRequest = {}, options: PtyOptions = {}): Pty {
    return new Pty({ http: this.#http, open: this.#open, id }, request, options)
  }
}

/** RFC 8288: of the link with rel="next". Only the cursor is taken: an answer does not decide where a key is sent. */
function nextCursor(link: string | null): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1]
  if (target === undefined) return undefined
  return new URL(target, 'http://localhost').searchParams.get('cursor') ?? undefined
}
