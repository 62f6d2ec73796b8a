import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { EventParser, readEvents, type ServerEvent } from './event-stream.ts'

const all = async (pieces: Iterable<Uint8Array>): Promise<ServerEvent[]> => {
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
  const events: ServerEvent[] = []
  for await (const event of readEvents(stream, { signal: undefined, silenceMs: 10_000 })) events.push(event)
  return events
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What a line may hold. */
const lineText = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed().replaceAll(/[\r\n]/g, ''))
const lineEnd = fc.constantFrom('\n', '\r', '\r\n')

/** An event and one of the ways to write it. */
const written = fc
  .record({
    event: fc.option(
      lineText.filter((text) => text !== ''),
      { nil: undefined },
    ),
    data: fc.array(lineText, { minLength: 1, maxLength: 3 }),
    comment: lineText,
    space: fc.constantFrom('', ' '),
    end: lineEnd,
  })
  .map(({ event, data, comment, space, end }) => {
    const field = (name: string, value: string): string =>
      // A space in front of the value is taken away, so that one that is meant needs another.
      `${name}:${value.startsWith(' ') ? ' ' : space}${value}`
    const lines = [
      `:${comment}`,
      ...(event === undefined ? [] : [field('event', event)]),
      ...data.map((line) => field('data', line)),
      'id: 7',
      'retry',
      '',
    ]
    return {
      text: lines.map((line) => line + end).join(''),
      event: { event: event ?? 'message', data: data.join('\n') },
    }
  })

describe('a stream of events', () => {
  it('is read the same however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(written, { maxLength: 5 }),
        fc.array(fc.nat({ max: 12 }), { minLength: 1 }),
        fc.constantFrom('', '\u{feff}'),
        async (blocks, sizes, mark) => {
          const whole = bytes(mark + blocks.map(({ text }) => text).join(''))
          const pieces: Uint8Array[] = []
          for (let at = 0, n = 0; at < whole.length; n += 1) {
            const size = sizes[n % sizes.length] ?? 0
            pieces.push(whole.subarray(at, at + size + 1))
            at += size + 1
          }
          assert.deepEqual(
            await all(pieces),
            blocks.map(({ event }) => event),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  it('has no event without data, and none that is not ended', async () => {
    assert.deepEqual(await all([bytes('event: a\n\nevent: b\ndata: 1')]), [])
    assert.deepEqual(await all([bytes('data\n\n')]), [{ event: 'message', data: '' }])
    assert.deepEqual(await all([bytes('event: a\n\ndata: 2\n\n')]), [{ event: 'message', data: '2' }])
  })

  it('takes CR and LF for one line end across a cut', () => {
    const parser = new EventParser()
    const events = ['data: a\r', '\ndata: b\r', '\n', '\r', '\n'].flatMap((text) => parser.push(text))
    assert.deepEqual(events, [{ event: 'message', data: 'a\nb' }])
  })

  it('fails when nothing comes for too long', async () => {
    let cancelled = false
    const stream = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) })
    const events = readEvents(stream, { signal: undefined, silenceMs: 20 })
    await assert.rejects(events.next(), { code: 'network_error', message: /20 ms/ })
    assert.ok(cancelled)
  })

  it('ends by its signal with the reason, while it waits', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const events = readEvents(new ReadableStream(), { signal: controller.signal, silenceMs: 60_000 })
    const next = events.next()
    controller.abort(reason)
    await assert.rejects(next, reason)
  })

  it('fails when the connection does', async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new TypeError('terminated')),
    })
    await assert.rejects(readEvents(broken, { signal: undefined, silenceMs: 60_000 }).next(), {
      code: 'network_error',
    })
  })

  it('that is left is cancelled', async () => {
    let cancelled = false
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes('data: 1\n\n')),
      cancel: () => void (cancelled = true),
    })
    for await (const _ of readEvents(stream, { signal: undefined, silenceMs: 60_000 })) break
    assert.ok(cancelled)
  })
})
