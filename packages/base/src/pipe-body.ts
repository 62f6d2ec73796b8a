// Sending a stream on as the body of an HTTP request. Unlike stream.pipeline this leaves the source alone when the target
// fails: the source may be a request that still needs its answer, on the same connection.
import type { Readable, Writable } from 'node:stream'

/** Ends `target` with `source`. A source that breaks off destroys the target, so that nobody takes a part for the whole. */
export function pipeBody(source: Readable, target: Writable): void {
  const breakOff = (error?: Error): void => {
    if (!source.readableEnded) target.destroy(error ?? new Error('the body broke off'))
  }
  if (source.readableEnded) return void target.end()
  if (source.destroyed) return breakOff(source.errored ?? undefined)
  source.once('error', breakOff)
  source.once('close', () => breakOff())
  target.once('close', () => source.unpipe(target))
  source.pipe(target)
}
