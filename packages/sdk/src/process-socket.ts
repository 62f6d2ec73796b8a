// One process of a sandbox behind one WebSocket: what execStream and pty have in common. The first message says which;
// events are iterated; whoever leaves the loop, aborts the signal or loses the connection closes it.
import { WrennError } from './errors.ts'
import { fill, type Http } from './http.ts'
import { Limit, type CallOptions } from './limit.ts'
import { Queue } from './queue.ts'
import { openSocket, type OpenWebSocket, type WebSocketLike } from './sockets.ts'

export interface ProcessSocketOptions extends CallOptions {
  /** For opening the connection; it may then stay open for as long as it likes. 60,000 when left out. */
  timeoutMs?: number | undefined
  /**
   * What may wait to be read, in bytes of JSON; 64 MiB when left out. More than that, and where the WebSocket cannot be
   * paused (browsers, Node's own), the stream fails with `slow_reader`.
   */
  maxBufferedBytes?: number | undefined
}

export interface ProcessPlace {
  http: Http
  open: OpenWebSocket | undefined
  /** Of the sandbox. */
  id: string
}

export interface WireMessage {
  type: string
  pid?: number
  data?: string
  exit_code?: number
  /** Of an `error`, where the server says. */
  code?: string
}

type SocketPath = '/v1/sandboxes/{id}/exec/stream' | '/v1/sandboxes/{id}/pty'

const openTimeoutMs = 60_000
const bufferBytes = 64 * 1024 * 1024

export abstract class ProcessSocket<Event> implements AsyncIterable<Event> {
  readonly #http: Http
  /** Of the API, filled in. */
  readonly #path: string
  readonly #limit: Limit
  readonly #signal: AbortSignal | undefined
  readonly #socket: WebSocketLike
  readonly #queue: Queue<Event>
  #state: 'opening' | 'open' | 'closed' = 'opening'
  /** What was sent before it was open. */
  readonly #early: string[] = []
  /** What the server said was wrong. */
  #error: WireMessage | undefined

  constructor(
    { http, open, id }: ProcessPlace,
    path: SocketPath,
    { signal, timeoutMs = openTimeoutMs, maxBufferedBytes = bufferBytes }: ProcessSocketOptions,
  ) {
    this.#http = http
    this.#path = fill(path, { id })
    this.#signal = signal
    this.#limit = new Limit(`opening ${path}`, { signal, timeoutMs })
    this.#queue = new Queue(maxBufferedBytes, {
      onFull: () => this.#hold(),
      onEmpty: () => this.#socket.resume?.(),
    })
    try {
      this.#socket = openSocket(http.baseUrl.replace(/^http/, 'ws') + this.#path, http.credentials, open)
    } catch (error) {
      this.#limit.end()
      throw error
    }
    this.#limit.signal.addEventListener('abort', this.#abort)
    this.#listen()
  }

  /**
   * Can be iterated once. Throws a WrennError: `unauthorized`, `not_found`, `invalid_state` (not running),
   * `invalid_request`, `agent_error` (the VM is gone), `unavailable` (the server is going away), `network_error`.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    try {
      yield* this.#queue.take()
    } finally {
      this.disconnect()
    }
  }

  protected abstract event(message: WireMessage): Event

  /** In order, the first one once it is open. What is sent after the end goes nowhere. */
  protected send(message: object): void {
    const text = JSON.stringify(message)
    if (this.#state === 'open') this.#socket.send(text)
    else if (this.#state === 'opening') this.#early.push(text)
  }

  /** What has come can still be read. */
  protected disconnect(): void {
    this.#state = 'closed'
    this.#limit.end()
    this.#limit.signal.removeEventListener('abort', this.#abort)
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#queue.end()
    this.#socket.resume?.()
    this.#socket.close()
  }

  #listen(): void {
    const socket = this.#socket
    socket.addEventListener('open', () => this.#opened())
    socket.addEventListener('message', ({ data }) => this.#receive(data))
    socket.addEventListener('error', () => this.#state === 'opening' && this.#refused())
    socket.addEventListener('close', ({ code = 1006 }) => {
      if (this.#state === 'opening') this.#refused()
      else if (this.#state === 'open') this.#fail(closeError(code, this.#error))
    })
  }

  #opened(): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.#limit.end()
    // It was the limit's until now.
    this.#signal?.addEventListener('abort', this.#abort)
    for (const text of this.#early.splice(0)) this.#socket.send(text)
  }

  #receive(text: unknown): void {
    if (this.#state !== 'open') return
    const message = parse(text)
    if (!message) {
      this.#fail(new WrennError('unexpected_answer', 'The server sent something else than messages'))
      return
    }
    if (message.type === 'error') {
      // The code of the close that follows says which of the errors it is, where the message does not.
      this.#error = message
      return
    }
    this.#queue.push(this.event(message), String(text).length)
    if (message.type === 'exit') this.disconnect()
  }

  #hold(): void {
    if (this.#socket.pause) this.#socket.pause()
    else this.#fail(new WrennError('slow_reader', 'More output waits to be read than may be kept'))
  }

  readonly #abort = (): void => {
    this.#queue.abandon(this.#signal?.aborted ? this.#signal.reason : this.#limit.signal.reason)
    this.disconnect()
  }

  /** A WebSocket does not tell why it did not open. The same request without an upgrade does. */
  #refused(): void {
    this.#state = 'closed'
    const probe = { method: 'get' as const, path: this.#path, repeat: 'never' as const }
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
    this.disconnect()
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

/** Codes of RFC 6455, section 7.4.1, as the control plane uses them. `said`: its last message. */
function closeError(code: number, said: WireMessage | undefined): WrennError {
  const [errorCode, text] = meanings.get(code) ?? ['network_error', `The connection broke (${code})`]
  return new WrennError(said?.code ?? errorCode, said?.data ?? text)
}

const meanings = new Map<number, [string, string]>([
  [1001, ['unavailable', 'The server is going away']],
  [1008, ['invalid_request', 'The server refused what was sent']],
  [1009, ['too_large', 'What was sent is larger than 1 MiB']],
  [1011, ['agent_error', 'The host agent or the VM failed']],
])
