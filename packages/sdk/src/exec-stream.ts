// A command whose output comes while it runs: one WebSocket for each. Leaving the loop, aborting the signal or losing
// the connection ends the command.
import { WrennError } from './errors.ts'
import { fill, type Http } from './http.ts'
import { Limit, type CallOptions } from './limit.ts'
import { Queue } from './queue.ts'
import { openSocket, type OpenWebSocket, type WebSocketLike } from './sockets.ts'
import type { StreamRequest } from './wire.ts'

/**
 * `start` comes first, unless the command cannot be run: then there is the reason on stderr and exit code 126 or 127.
 * `exit` comes last. 128+n: killed by signal n, so 143 after `stop()`.
 */
export type ExecEvent<Data extends string | Uint8Array = string> =
  | { type: 'start'; pid: number }
  | { type: 'stdout' | 'stderr'; data: Data }
  | { type: 'exit'; exit_code: number }

export interface ExecStreamOptions extends CallOptions {
  /** For opening the connection; the command may then run for as long as it likes. 60,000 when left out. */
  timeoutMs?: number | undefined
  /**
   * What may wait to be read, in bytes of JSON; 64 MiB when left out. More than that, and where the WebSocket cannot be
   * paused (browsers, Node's own), the stream fails with `slow_reader`.
   */
  maxBufferedBytes?: number | undefined
}

type WireMessage = { type: string; pid?: number; data?: string; exit_code?: number }

const path = '/v1/sandboxes/{id}/exec/stream'
const openTimeoutMs = 60_000
const bufferBytes = 64 * 1024 * 1024

export class ExecStream<Data extends string | Uint8Array = string> implements AsyncIterable<ExecEvent<Data>> {
  readonly #http: Http
  readonly #id: string
  readonly #limit: Limit
  readonly #signal: AbortSignal | undefined
  readonly #socket: WebSocketLike
  readonly #queue: Queue<ExecEvent<Data>>
  readonly #isBinary: boolean
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #stopping = false
  /** What the server said was wrong. */
  #reason: string | undefined

  /** Called by `Sandboxes.execStream`. */
  constructor(
    { http, open, id }: { http: Http; open: OpenWebSocket | undefined; id: string },
    request: StreamRequest & { encoding?: 'utf-8' | 'base64' },
    { signal, timeoutMs = openTimeoutMs, maxBufferedBytes = bufferBytes }: ExecStreamOptions,
  ) {
    this.#http = http
    this.#id = id
    this.#signal = signal
    this.#isBinary = request.encoding === 'base64'
    const url = http.baseUrl.replace(/^http/, 'ws') + fill(path, { id })
    this.#limit = new Limit(`opening ${path}`, { signal, timeoutMs })
    this.#queue = new Queue(maxBufferedBytes, {
      onFull: () => this.#hold(),
      onEmpty: () => this.#socket.resume?.(),
    })
    try {
      this.#socket = openSocket(url, http.credentials, open)
    } catch (error) {
      this.#limit.end()
      throw error
    }
    this.#limit.signal.addEventListener('abort', this.#abort)
    this.#listen(JSON.stringify({ type: 'start', ...request }))
  }

  /** SIGTERM to the command's process group, SIGKILL after 5 s. The events go on until `exit`. */
  stop(): void {
    if (this.#stopping) return
    this.#stopping = true
    if (this.#state === 'open') this.#sendStop()
  }

  /**
   * Can be iterated once. Throws a WrennError: `unauthorized`, `not_found`, `invalid_state` (not running),
   * `invalid_request`, `agent_error` (the VM is gone), `unavailable` (the server is going away), `network_error`.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ExecEvent<Data>, void, undefined> {
    try {
      yield* this.#queue.take()
    } finally {
      this.#finish()
    }
  }

  #listen(start: string): void {
    const socket = this.#socket
    socket.addEventListener('open', () => this.#opened(start))
    socket.addEventListener('message', ({ data }) => this.#receive(data))
    socket.addEventListener('error', () => this.#state === 'opening' && this.#refused())
    socket.addEventListener('close', ({ code = 1006 }) => {
      if (this.#state === 'opening') this.#refused()
      else if (this.#state === 'open') this.#fail(closeError(code, this.#reason))
    })
  }

  #opened(start: string): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.#limit.end()
    // It was the limit's until now.
    this.#signal?.addEventListener('abort', this.#abort)
    this.#socket.send(start)
    if (this.#stopping) this.#sendStop()
  }

  #receive(text: unknown): void {
    if (this.#state !== 'open') return
    const message = parse(text)
    if (!message) {
      this.#fail(new WrennError('unexpected_answer', 'The server sent something else than messages'))
      return
    }
    if (message.type === 'error') {
      // The code of the close that follows says which of the errors it is.
      this.#reason = message.data
      return
    }
    this.#queue.push(this.#event(message), String(text).length)
    if (message.type === 'exit') this.#finish()
  }

  #event(message: WireMessage): ExecEvent<Data> {
    if (message.type !== 'stdout' && message.type !== 'stderr') return message as ExecEvent<Data>
    const data = message.data ?? ''
    return { type: message.type, data: (this.#isBinary ? fromBase64(data) : data) as Data }
  }

  #hold(): void {
    if (this.#socket.pause) this.#socket.pause()
    else this.#fail(new WrennError('slow_reader', 'More output waits to be read than may be kept'))
  }

  #sendStop(): void {
    this.#socket.send(JSON.stringify({ type: 'stop' }))
  }

  readonly #abort = (): void => {
    this.#queue.abandon(this.#signal?.aborted ? this.#signal.reason : this.#limit.signal.reason)
    this.#finish()
  }

  /** A WebSocket does not tell why it did not open. The same request without an upgrade does. */
  #refused(): void {
    this.#state = 'closed'
    const probe = { method: 'get' as const, path: fill(path, { id: this.#id }), repeat: 'never' as const }
    void this.#http
      .send(probe, { signal: this.#limit.signal }, async (_response, limit) => limit.end())
      .then(
        () => this.#fail(new WrennError('unexpected_answer', 'The WebSocket did not open')),
        (error: unknown) => {
          const isOurs = error instanceof WrennError && error.code === 'upgrade_required'
          this.#fail(isOurs ? new WrennError('network_error', 'The WebSocket did not open') : error)
        },
      )
  }

  #fail(error: unknown): void {
    this.#queue.fail(error)
    this.#finish()
  }

  #finish(): void {
    this.#state = 'closed'
    this.#limit.end()
    this.#limit.signal.removeEventListener('abort', this.#abort)
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#queue.end()
    this.#socket.resume?.()
    this.#socket.close()
  }
}

/** Undefined when it is no message. */
function parse(text: unknown): WireMessage | undefined {
  try {
    return JSON.parse(String(text)) as WireMessage
  } catch {
    return undefined
  }
}

/** Codes of RFC 6455, section 7.4.1, as the control plane uses them. `reason`: of its last message. */
function closeError(code: number, reason: string | undefined): WrennError {
  const [errorCode, text] = meanings.get(code) ?? ['network_error', `The connection broke (${code})`]
  return new WrennError(errorCode, reason ?? text)
}

const meanings = new Map<number, [string, string]>([
  [1001, ['unavailable', 'The server is going away']],
  [1008, ['invalid_request', 'The server refused what was sent']],
  [1009, ['too_large', 'What was sent is larger than 1 MiB']],
  [1011, ['agent_error', 'The host agent or the VM failed']],
])

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
