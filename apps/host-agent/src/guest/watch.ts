// What changes in a folder of a guest, through envd's watcher, as lines of JSON: the events that clients get. Nothing is
// kept here: whoever reads slowly makes the guest's own queue overflow, and is told so.
import { posix } from 'node:path'
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { AppError, type ErrorCode } from '@wrenn/base'
import type { Envd } from './envd.ts'
import { decodeFrames, encodeFrame } from './frames.ts'

export interface WatchRequest {
  path: string
  /** Folders below it, too. */
  recursive: boolean
  /** The reader is gone. */
  signal: AbortSignal
}

const answerMs = 30_000
/** envd looks so often whether the folder is still at its path. */
const keepaliveSec = 15

const changes = {
  EVENT_TYPE_CREATE: 'create',
  EVENT_TYPE_WRITE: 'write',
  EVENT_TYPE_REMOVE: 'remove',
  EVENT_TYPE_RENAME: 'rename',
  EVENT_TYPE_CHMOD: 'chmod',
} as const

const overflow = 'EVENT_TYPE_OVERFLOW'

/** Guests are not trusted: whatever they send has these types or is refused. */
const frame = z.object({
  start: z.object({}).optional(),
  filesystem: z
    .object({
      name: z.string(),
      type: z.enum([...(Object.keys(changes) as (keyof typeof changes)[]), overflow]),
    })
    .optional(),
  error: z.object({ code: z.string(), message: z.string().max(8_192) }).optional(),
})
type WatchFrame = z.infer<typeof frame>

/** Connect's codes that are the caller's doing. */
const codes: Record<string, ErrorCode> = {
  not_found: 'not_found',
  invalid_argument: 'invalid_request',
  permission_denied: 'invalid_request',
  // More folders than the guest's kernel can watch.
  resource_exhausted: 'invalid_request',
}

/**
 * Returns once nothing is missed any more. The lines end when the folder is gone, or the sandbox is paused or destroyed;
 * any other end is thrown. Throws `not_found` and `invalid_request`.
 */
export async function watchFiles(envd: Envd, request: WatchRequest): Promise<AsyncGenerator<Buffer>> {
  const { path, recursive, signal } = request
  const { status, stream } = await envd.post('/filesystem.Filesystem/WatchDir', {
    headers: {
      'content-type': 'application/connect+json',
      'connect-protocol-version': '1',
      'keepalive-ping-interval': String(keepaliveSec),
      'wait-for-reader': 'connected',
    },
    body: encodeFrame({ path, recursive }),
    timeoutMs: answerMs,
    signal,
  })
  if (status !== 200) {
    stream.destroy()
    throw new AppError('agent_error', `the sandbox refused to watch (envd: ${status})`)
  }
  const frames = framesOf(stream)
  const { value: first } = await frames.next()
  if (first?.start) return lines(frames, request)
  await frames.return(undefined)
  throw failure(first)
}

async function* framesOf(stream: IncomingMessage): AsyncGenerator<WatchFrame> {
  let complete = false
  for await (const { last, json } of decodeFrames(stream)) {
    complete ||= last
    yield frame.parse(json)
  }
  if (!complete) throw new AppError('agent_error', 'the sandbox stopped answering while a folder was watched')
}

async function* lines(
  frames: AsyncGenerator<WatchFrame>,
  { path, signal }: WatchRequest,
): AsyncGenerator<Buffer> {
  const folder = posix.normalize(path)
  try {
    yield line('ready', {})
    for await (const event of frames) {
      if (event.error) throw failure(event)
      const change = event.filesystem
      if (change?.type === overflow) yield line('overflow', {})
      else if (change)
        yield line('change', { type: changes[change.type], path: posix.join(folder, change.name) })
    }
  } catch (error) {
    if (!signal.aborted && !isItsEnd(error)) throw error
  } finally {
    await frames.return(undefined)
  }
}

/** It was paused or destroyed. */
function isItsEnd(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'invalid_state' || error.code === 'not_found')
}

function failure(last: WatchFrame | undefined): AppError {
  const { code = '', message = 'the sandbox answered with something unexpected' } = last?.error ?? {}
  return new AppError(codes[code] ?? 'agent_error', message)
}

function line(event: string, data: object): Buffer {
  return Buffer.from(`${JSON.stringify({ event, data })}\n`)
}
