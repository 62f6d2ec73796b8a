// Reading an upload: a form with the fields `path` and `file`, in any order, as it arrives. Nothing of the file is kept:
// whoever consumes the content sets the pace. The content ends only when the whole form was there and right, so that an
// upload that is too large, broken off or malformed never looks like one that is complete.
import { pipeline, Transform, type Readable } from 'node:stream'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import { AppError, KIB, MIB } from '@wrenn/base'
import type { RawBody } from '@wrenn/contract'

export interface UploadForm {
  /** Of the file, when it came first; else it settles before `content` ends. */
  path: string | Promise<string>
  /** The file's bytes. Fails with an AppError that says what is wrong with the form. */
  content: Readable
}

/** PATH_MAX of Linux. */
const maxPathBytes = 4 * KIB
/** What a form may have beside its file: for refusing by Content-Length. */
const maxOverheadBytes = MIB
/** Of the file, when nobody reads: one more of these and the client waits. */
const bufferBytes = 64 * KIB

/** Returns at the beginning of the file. The body is not destroyed, and read on only while `content` is. */
export async function readUploadForm(body: RawBody, maxFileBytes: number): Promise<UploadForm> {
  if ((body.sizeBytes ?? 0) > maxFileBytes + maxOverheadBytes) throw tooLarge(maxFileBytes)
  const form = openForm(body.contentType)
  const path = Promise.withResolvers<string>()
  const file = Promise.withResolvers<BusboyFileStream>()
  let known: string | undefined
  let opened: BusboyFileStream | undefined
  const fail = (error: AppError): void => {
    body.stream.unpipe(form)
    path.reject(error)
    file.reject(error)
    opened?.destroy(error)
  }
  form.on('field', (name, value, _nameTruncated, truncated) => {
    if (name !== 'path') return
    const problem = known === undefined ? pathProblem(value, truncated) : 'path: is there twice'
    known = value
    if (problem !== undefined) fail(invalid(problem))
  })
  form.on('file', (_name, stream) => {
    opened = stream
    // It may fail before anybody reads it; whoever does then gets the error.
    stream.on('error', () => undefined)
    file.resolve(stream)
  })
  form.on('filesLimit', () => fail(invalid('file: is there twice')))
  form.on('error', (cause) => fail(invalid('The form is not valid multipart/form-data', cause)))
  form.on('finish', () => {
    if (!opened) fail(invalid('file: is required'))
    else if (known === undefined) fail(invalid('path: is required'))
    else path.resolve(known)
  })
  const brokenOff = (cause?: unknown): void => {
    if (!body.stream.readableEnded) fail(invalid('The upload broke off', cause))
  }
  body.stream.once('error', brokenOff).once('close', () => brokenOff())
  if (body.stream.destroyed) brokenOff()
  // Whoever consumes the content learns it.
  path.promise.catch(() => undefined)
  body.stream.pipe(form)
  const source = await file.promise
  const content = contentOf(source, { whole: path.promise, maxFileBytes })
  content.once('close', () => body.stream.unpipe(form))
  return { path: known ?? path.promise, content }
}

/** The chunks as they came, not joined to larger ones as an iterator does. Ends when `whole` is settled. */
function contentOf(
  source: BusboyFileStream,
  { whole, maxFileBytes }: { whole: Promise<unknown>; maxFileBytes: number },
): Readable {
  let size = 0
  const content = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      size += chunk.length
      if (size > maxFileBytes) done(tooLarge(maxFileBytes))
      else done(null, chunk)
    },
    flush: (done) => void whole.then(() => done(), done),
  })
  // What is wrong is the content's error.
  return pipeline(source, content, () => undefined)
}

function openForm(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      fileHwm: bufferBytes,
      limits: { fieldSize: maxPathBytes, fieldNameSize: 100, fields: 16, files: 1 },
      isPartAFile: (name) => name === 'file',
    })
  } catch (cause) {
    throw invalid('The form is not valid multipart/form-data', cause)
  }
}

function pathProblem(path: string, truncated: boolean): string | undefined {
  if (truncated) return `path: must have at most ${maxPathBytes} bytes`
  if (!path.startsWith('/')) return 'path: must be an absolute path'
  if (path.includes('\0')) return 'path: must not hold a NUL character'
  return path.endsWith('/') ? 'path: must name a file, not a folder' : undefined
}

function invalid(message: string, cause?: unknown): AppError {
  return new AppError('invalid_request', message, cause === undefined ? {} : { cause })
}

function tooLarge(maxBytes: number): AppError {
  return new AppError(
    'too_large',
    `file: is larger than ${maxBytes} bytes; files/stream/write takes files of any size`,
  )
}
