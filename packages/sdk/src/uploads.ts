// Bodies of uploads: the form of files/write with the path first, around content that is sent as it comes. Written by
// hand, because FormData takes no streams and turns line feeds in a path into CR LF.
// Browsers send no streams over HTTP/1.1 and do not tell how far fetch has come: there, XMLHttpRequest does.
import type { Fetch, OutgoingBody } from './http.ts'
import { randomHex } from './random.ts'

/** What an upload may be made of. A stream is sent once, without being held in memory. */
export type FileContent = string | Uint8Array | ArrayBuffer | Blob
export type StreamContent = FileContent | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** `totalBytes` is undefined while nobody knows it. */
export type OnProgress = (progress: { doneBytes: number; totalBytes: number | undefined }) => void

export interface Upload {
  contentType: string
  body: () => OutgoingBody
  /** Whether `body` may be called again. */
  canRepeat: boolean
  fetch?: Fetch
  /** What the content's own stream threw. */
  failure: () => { reason: unknown } | undefined
}

/** A form whose field `file` is `content`. */
export async function upload(path: string, content: StreamContent, onProgress?: OnProgress): Promise<Upload> {
  const boundary = `wrenn-${randomHex(16)}`
  const contentType = `multipart/form-data; boundary=${boundary}`
  const part = `--${boundary}\r\nContent-Disposition: form-data; name=`
  const head = `${part}"path"\r\n\r\n${path}\r\n${part}"file"; filename="file"\r\nContent-Type: application/octet-stream\r\n\r\n`
  const tail = `\r\n--${boundary}--\r\n`
  const isBrowser = 'XMLHttpRequest' in globalThis
  const blob = isStream(content) ? (isBrowser ? await collect(content) : undefined) : toBlob(content)
  if (blob && (isBrowser || !onProgress)) {
    const form = new Blob([head, blob, tail])
    return {
      contentType,
      body: () => form,
      canRepeat: true,
      failure: () => undefined,
      ...(onProgress
        ? { fetch: xhrFetch(onProgress, { totalBytes: blob.size, headBytes: byteLength(head) }) }
        : {}),
    }
  }
  let failure: { reason: unknown } | undefined
  const body = (): ReadableStream<Uint8Array> => {
    const source = blob ? blob.stream() : (content as ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>)
    const progress = onProgress && { onProgress, totalBytes: blob?.size }
    const chunks = formChunks(head, { source, tail, ...(progress ? { progress } : {}) })
    return fromIterator(chunks, (reason) => (failure = { reason }))
  }
  return { contentType, body, canRepeat: blob !== undefined, failure: () => failure }
}

/** What is sent at a time, and reported. */
const pieceBytes = 64 * 1024

interface FormParts {
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>
  tail: string
  progress?: { onProgress: OnProgress; totalBytes: number | undefined }
}

async function* formChunks(head: string, { source, tail, progress }: FormParts): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  let doneBytes = 0
  yield encoder.encode(head)
  for await (const chunk of iterate(source)) {
    // A blob may come in one piece.
    for (let at = 0; at < chunk.byteLength; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes)
      yield piece
      doneBytes += piece.byteLength
      progress?.onProgress({ doneBytes, totalBytes: progress.totalBytes })
    }
  }
  yield encoder.encode(tail)
}

/** Asked for one at a time, as the connection takes them. */
function fromIterator(
  chunks: AsyncGenerator<Uint8Array>,
  onFailure: (reason: unknown) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await chunks.next()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          onFailure(error)
          controller.error(error)
        }
      },
      cancel: async () => {
        await chunks.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/** Not every browser's ReadableStream is iterable. */
async function* iterate(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (!(source instanceof ReadableStream)) {
    yield* source
    return
  }
  const reader = source.getReader()
  let ended = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      ended = done
      if (done) return
      yield value
    }
  } finally {
    if (!ended) await reader.cancel()
  }
}

function isStream(content: StreamContent): content is ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> {
  return typeof content === 'object' && (content instanceof ReadableStream || Symbol.asyncIterator in content)
}

function toBlob(content: FileContent): Blob {
  return content instanceof Blob ? content : new Blob([content as Uint8Array<ArrayBuffer>])
}

/** Browsers keep large blobs on disk. */
function collect(content: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Blob> {
  const stream = content instanceof ReadableStream ? content : fromIterator(iterate(content), () => undefined)
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).blob()
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength
}

/** As much of a browser's XMLHttpRequest as is used: Node's types do not know it. */
interface Xhr {
  upload: { addEventListener: (type: 'progress', listener: (event: { loaded: number }) => void) => void }
  addEventListener: (type: 'load' | 'error' | 'abort', listener: () => void) => void
  readonly status: number
  readonly responseText: string
  open: (method: string, url: string) => void
  setRequestHeader: (name: string, value: string) => void
  getAllResponseHeaders: () => string
  send: (body: unknown) => void
  abort: () => void
}

/** A fetch that tells how much of the file has left. It follows redirects within what CORS allows, as it must. */
function xhrFetch(onProgress: OnProgress, size: { totalBytes: number; headBytes: number }): Fetch {
  return (url, init) =>
    new Promise<Response>((resolve, reject) => {
      const xhr = new (globalThis as unknown as { XMLHttpRequest: new () => Xhr }).XMLHttpRequest()
      const { totalBytes, headBytes } = size
      xhr.upload.addEventListener('progress', ({ loaded }) =>
        onProgress({ doneBytes: Math.min(Math.max(loaded - headBytes, 0), totalBytes), totalBytes }),
      )
      xhr.addEventListener('error', () => reject(new TypeError('the upload failed')))
      xhr.addEventListener('abort', () => reject(new TypeError('the upload was aborted')))
      xhr.addEventListener('load', () => {
        const lines = xhr.getAllResponseHeaders().trim().split('\r\n')
        const headers = lines.map((line) => line.split(/: ?(.*)/s, 2) as [string, string])
        resolve(new Response(xhr.responseText || null, { status: xhr.status, headers }))
      })
      xhr.open(init.method ?? 'POST', url)
      for (const [name, value] of Object.entries(init.headers as Record<string, string>))
        xhr.setRequestHeader(name, value)
      init.signal?.addEventListener('abort', () => xhr.abort(), { once: true })
      xhr.send(init.body)
    })
}
