// Answers of `text/event-stream` (HTML Standard, section 9.2): what a handler's iterable yields, for as long as the
// client listens, the iterable goes on or the server is there. A client that reads slowly holds the iterable back, so
// that no more than a few chunks wait for it; the iterable ends by the call's `signal`.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { PassThrough, type Readable } from 'node:stream'
import { AppError } from '@wrenn/base'
import type { ServerEvent } from '@wrenn/contract'

export const eventStreamHeaders = { 'cache-control': 'no-store', 'x-accel-buffering': 'no' }

/** So that whoever is in between, and the client, can tell silence from a connection that is dead. */
const silenceMs = 15_000
const comment = ':\n\n'
/** For a client to read the rest when the server goes away. */
const closeMs = 1_000

export class EventStreams {
  readonly #ends = new Set<() => void>()
  #isClosing = false

  /** The body of the answer. `abort` is the call's: it fires when the stream ends, whoever ends it. */
  begin(
    events: AsyncIterable<ServerEvent>,
    { abort, response }: { abort: AbortController; response: ServerResponse },
  ): Readable {
    if (this.#isClosing) {
      abort.abort()
      throw new AppError('unavailable', 'The server is going away; try again', { retryAfterSec: 1 })
    }
    const body = new PassThrough()
    const end = (): void => {
      abort.abort()
      body.end()
      setTimeout(() => response.destroy(), closeMs).unref()
    }
    this.#ends.add(end)
    response.once('close', () => {
      this.#ends.delete(end)
      abort.abort()
      body.destroy()
    })
    void pass(events, body, abort.signal)
    return body
  }

  /** Ends every stream. One whose client does not read the rest within a second is cut. */
  close(): void {
    this.#isClosing = true
    for (const end of this.#ends) end()
  }
}

async function pass(
  events: AsyncIterable<ServerEvent>,
  body: PassThrough,
  signal: AbortSignal,
): Promise<void> {
  // What waits to be read is a sign of life, too.
  const whenSilent = setInterval(() => {
    if (!body.writableNeedDrain && body.writable) body.write(comment)
  }, silenceMs)
  body.once('close', () => clearInterval(whenSilent))
  // The beginning of the answer goes with it: a client knows that it listens before anything happens.
  body.write(comment)
  try {
    for await (const event of events) {
      if (signal.aborted) break
      whenSilent.refresh()
      if (!body.write(encoded(event))) await once(body, 'drain', { signal })
    }
    body.end()
  } catch (error) {
    // An iterable may end by throwing what its signal was aborted with.
    if (!signal.aborted) body.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}

function encoded({ event, data }: ServerEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
  return `event: ${event}\n${lines.join('')}\n`
}
