// Files of a sandbox: whole ones of up to 100 MiB, streams of any size, and what there is. A write that fails leaves the
// old file as it was; a read that breaks off fails, and never looks complete.
import { WrennError } from './errors.ts'
import { watchFolder, type FileWatchEvent, type WatchOptions } from './file-watch.ts'
import { fill, type Http } from './http.ts'
import type { CallOptions, Limit } from './limit.ts'
import type { FileEntry } from './wire.ts'
import { upload, type FileContent, type OnProgress, type StreamContent } from './uploads.ts'

export interface TransferOptions extends CallOptions {
  /** Called as bytes go, often. Must not throw. */
  onProgress?: OnProgress | undefined
}

export interface FileStream {
  /** Of the file; undefined when the server does not know it. */
  sizeBytes: number | undefined
  /** Fails with a WrennError when the transfer breaks off. Cancelling it ends the transfer. */
  stream: ReadableStream<Uint8Array>
}

/** A folder may have to be copied to another filesystem; Node's fetch waits no longer. */
const moveTimeoutMs = 300_000
/** A plain transfer is 100 MiB at most: at 1 Mbit/s, a quarter of an hour. */
const plainTimeoutMs = 900_000

type WritePath = '/v1/sandboxes/{id}/files/write' | '/v1/sandboxes/{id}/files/stream/write'
type ReadPath = '/v1/sandboxes/{id}/files/read' | '/v1/sandboxes/{id}/files/stream/read'

export class Files {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  /**
   * Writes a whole file, 100 MiB at most; folders on the way are made, a file that is there is replaced in one step.
   * `path` is absolute. Throws `too_large`, `disk_full`, `invalid_state` when the sandbox is not running.
   */
  async write(id: string, path: string, content: FileContent, options: TransferOptions = {}): Promise<void> {
    await this.#write({ id, path, to: '/v1/sandboxes/{id}/files/write' }, content, {
      timeoutMs: plainTimeoutMs,
      ...options,
    })
  }

  /**
   * As `write`, for any size: a stream is passed on as it comes, at the pace of the slower side. No time limit unless
   * one is given. A stream that throws leaves the old file, and what it threw is thrown. In browsers, which cannot send
   * streams, it is collected in a Blob first: give a File or Blob there.
   */
  async writeStream(
    id: string,
    path: string,
    content: StreamContent,
    options: TransferOptions = {},
  ): Promise<void> {
    await this.#write({ id, path, to: '/v1/sandboxes/{id}/files/stream/write' }, content, {
      timeoutMs: Infinity,
      ...options,
    })
  }

  /** The bytes of a file. Throws `not_found`; `invalid_request` for a folder, FIFO, socket or device. */
  async read(id: string, path: string, options: TransferOptions = {}): Promise<Uint8Array> {
    const { onProgress, timeoutMs = plainTimeoutMs, signal } = options
    return this.#read(
      { id, path, from: '/v1/sandboxes/{id}/files/read' },
      { timeoutMs, signal },
      async (response, limit) => {
        const { stream } = fileStream(response, { limit, onProgress, onEnd: () => undefined })
        const bytes = await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()
        limit.end()
        return new Uint8Array(bytes)
      },
    )
  }

  /** The bytes of a file of any size, as they come. No time limit unless one is given; it holds for all of the stream. */
  async readStream(id: string, path: string, options: TransferOptions = {}): Promise<FileStream> {
    const { onProgress, timeoutMs = Infinity, signal } = options
    return this.#read(
      { id, path, from: '/v1/sandboxes/{id}/files/stream/read' },
      { timeoutMs, signal },
      async (response, limit) => fileStream(response, { limit, onProgress, onEnd: () => limit.end() }),
    )
  }

  /** What a folder holds, by name; links are not followed. Throws `not_found`, `invalid_request` (no folder). */
  list(id: string, path: string, options: CallOptions = {}): Promise<FileEntry[]> {
    const call = { ...options, params: { id }, query: { path } }
    return this.#http.call('get', '/v1/sandboxes/{id}/files', call)
  }

  /** What a path is; a link is not followed. Throws `not_found`. */
  stat(id: string, path: string, options: CallOptions = {}): Promise<FileEntry> {
    const call = { ...options, params: { id }, query: { path } }
    return this.#http.call('get', '/v1/sandboxes/{id}/files/stat', call)
  }

  /** Makes a folder, and those above it that are missing. Throws `already_exists`, `invalid_request`, `disk_full`. */
  mkdir(id: string, path: string, options: CallOptions = {}): Promise<FileEntry> {
    const call = { ...options, params: { id }, body: { path } }
    return this.#http.call('post', '/v1/sandboxes/{id}/files/mkdir', call)
  }

  /**
   * Moves or renames a file or folder; folders above the destination are made, and nothing is replaced. Throws
   * `not_found`, `already_exists`, `invalid_request` (into itself), `disk_full`.
   */
  move(id: string, source: string, destination: string, options: CallOptions = {}): Promise<FileEntry> {
    const { timeoutMs = moveTimeoutMs, signal } = options
    const call = { timeoutMs, signal, params: { id }, body: { source, destination } }
    return this.#http.call('post', '/v1/sandboxes/{id}/files/move', call)
  }

  /** Removes a file, or a folder with all that it holds. Not sent twice: a second one finds nothing. Throws `not_found`. */
  async remove(id: string, path: string, options: CallOptions = {}): Promise<void> {
    const { timeoutMs = moveTimeoutMs, signal } = options
    const call = { timeoutMs, signal, params: { id }, query: { path }, repeat: 'refused' as const }
    await this.#http.call('delete', '/v1/sandboxes/{id}/files', call)
  }

  /**
   * What changes in a folder from now on, as it happens; looking on is no activity. At `ready` and at each `overflow`
   * list it, then apply what comes. The loop ends when the folder is gone, or the sandbox is paused or destroyed. Throws
   * `not_found`, `invalid_request`, `invalid_state`, and `network_error` when the connection breaks: watch again then.
   */
  watch(
    id: string,
    path: string,
    options: WatchOptions = {},
  ): AsyncGenerator<FileWatchEvent, void, undefined> {
    return watchFolder(this.#http, { id, path }, options)
  }

  #read<T>(
    { id, path, from }: { id: string; path: string; from: ReadPath },
    options: CallOptions,
    consume: (response: Response, limit: Limit) => Promise<T>,
  ): Promise<T> {
    const outgoing = {
      method: 'post' as const,
      path: fill(from, { id }),
      headers: { 'content-type': 'application/json' },
      body: () => JSON.stringify({ path }),
      repeat: 'safe' as const,
    }
    return this.#http.send(outgoing, options, consume)
  }

  async #write(
    { id, path, to }: { id: string; path: string; to: WritePath },
    content: StreamContent,
    { onProgress, ...options }: TransferOptions,
  ): Promise<void> {
    const url = fill(to, { id })
    const { contentType, body, canRepeat, failure, fetch } = await upload(path, content, onProgress)
    const outgoing = {
      method: 'post' as const,
      path: url,
      headers: { 'content-type': contentType },
      body,
      repeat: canRepeat ? ('safe' as const) : ('never' as const),
      ...(fetch ? { fetch } : {}),
    }
    try {
      await this.#http.send(outgoing, options, async (response, limit) => {
        await response.text()
        limit.end()
      })
    } catch (error) {
      const own = failure()
      throw own ? own.reason : error
    }
  }
}

interface StreamUse {
  limit: Limit
  onProgress: OnProgress | undefined
  /** Whole, broken off or cancelled. */
  onEnd: () => void
}

/** The body of an answer, with progress and with errors of ours. */
function fileStream(response: Response, { limit, onProgress, onEnd }: StreamUse): FileStream {
  const length = response.headers.get('content-length')
  const sizeBytes = length === null ? undefined : Number(length)
  const reader = response.body?.getReader()
  let doneBytes = 0
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const chunk = await next(reader, limit).catch((error: unknown) => {
          onEnd()
          throw error
        })
        if (!chunk) {
          onEnd()
          controller.close()
          return
        }
        doneBytes += chunk.byteLength
        controller.enqueue(chunk)
        onProgress?.({ doneBytes, totalBytes: sizeBytes })
      },
      cancel: async (reason) => {
        onEnd()
        await reader?.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return { sizeBytes, stream }
}

/** Undefined at the end. A body may be null when it is empty. */
async function next(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  limit: Limit,
): Promise<Uint8Array | undefined> {
  if (!reader) return undefined
  try {
    const { done, value } = await reader.read()
    return done ? undefined : value
  } catch (cause) {
    throw limit.why(new WrennError('network_error', 'The transfer broke off', { cause }))
  }
}
