// Reads `text/event-stream`, as the HTML Standard has it (section 9.2.6), from an answer of fetch: EventSource can send
// no Authorization header. What ids and retry fields say is of no use here: streams begin with what is so now.
import { WrennError } from './errors.ts'
import type { Http } from './http.ts'
import type { CallOptions } from './limit.ts'

/** The server sends a comment every 15 s. */
const silenceMs = 45_000

export interface ServerEvent {
  /** `message` where the server names none. */
  event: string
  data: string
}

/** Asks for the stream at `path`, filled in. The time limit is that of the answer's beginning. Throws what it says. */
export function openEvents(
  http: Http,
  path: string,
  options: CallOptions,
): Promise<AsyncGenerator<ServerEvent, void, undefined>> {
  const outgoing = {
    method: 'get' as const,
    path,
    headers: { accept: 'text/event-stream' },
    repeat: 'never' as const,
  }
  return http.send(outgoing, options, async ({ body, headers }, limit) => {
    const type = headers.get('content-type') ?? ''
    if (!body || !type.startsWith('text/event-stream'))
      throw new WrennError('unexpected_answer', `${path} was answered with ${type || 'nothing'}`)
    // From here on it may last.
    limit.end()
    return readEvents(body, { signal: options.signal, silenceMs })
  })
}

/** The data of an event, which the contract has as JSON. */
export function parseEvent({ data }: ServerEvent): unknown {
  try {
    return JSON.parse(data) as unknown
  } catch (cause) {
    throw new WrennError('unexpected_answer', 'The server sent an event that is no JSON', { cause })
  }
}

/** Pieces of text, cut anywhere, as events. What is not ended by an empty line is no event. */
export class EventParser {
  /** The line that is not ended yet. */
  #line = ''
  #event = ''
  #data: string[] = []
  /** The last piece ended with a CR: a LF that begins the next one belongs to it. */
  #afterReturn = false

  push(text: string): ServerEvent[] {
    if (text === '') return []
    const piece = this.#afterReturn && text.startsWith('\n') ? text.slice(1) : text
    this.#afterReturn = text.endsWith('\r')
    const lines = piece.split(/\r\n|\r|\n/)
    lines[0] = this.#line + (lines[0] ?? '')
    this.#line = lines.pop() ?? ''
    return lines.flatMap((line) => this.#take(line) ?? [])
  }

  /** The event that the line ends. */
  #take(line: string): ServerEvent | undefined {
    if (line === '') return this.#dispatch()
    // Of a comment this is ''.
    const name = /^[^:]*/.exec(line)?.[0]
    const value = line.slice((name?.length ?? 0) + 1).replace(/^ /, '')
    if (name === 'data') this.#data.push(value)
    else if (name === 'event') this.#event = value
    return undefined
  }

  #dispatch(): ServerEvent | undefined {
    const event = { event: this.#event || 'message', data: this.#data.join('\n') }
    const hasData = this.#data.length > 0
    this.#event = ''
    this.#data = []
    return hasData ? event : undefined
  }
}

export interface ReadOptions {
  /** Ends it. What is thrown is its reason. */
  signal: AbortSignal | undefined
  /** Without a byte for so long (the server sends comments) the connection is dead: `network_error`. */
  silenceMs: number
}

/** Ends when the answer does. Throws `network_error` when it breaks off; leaving it cancels the answer. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  { signal, silenceMs }: ReadOptions,
): AsyncGenerator<ServerEvent, void, undefined> {
  const reader = body.getReader()
  const parser = new EventParser()
  // Without a byte order mark, as the standard says.
  const decoder = new TextDecoder()
  let silent = false
  // A reader that is cancelled has nothing more: the read that waits ends. Whether that works is no matter any more.
  const cancel = (): void => void reader.cancel().catch(() => undefined)
  signal?.addEventListener('abort', cancel)
  try {
    for (;;) {
      signal?.throwIfAborted()
      const whenSilent = setTimeout(() => {
        silent = true
        cancel()
      }, silenceMs)
      const { done, value } = await reader.read().finally(() => clearTimeout(whenSilent))
      signal?.throwIfAborted()
      if (silent) throw new WrennError('network_error', `Nothing came for ${silenceMs} ms`)
      if (done) return
      yield* parser.push(decoder.decode(value, { stream: true }))
    }
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof WrennError) throw cause
    throw new WrennError('network_error', 'The stream of events broke off', { cause })
  } finally {
    signal?.removeEventListener('abort', cancel)
    cancel()
  }
}
