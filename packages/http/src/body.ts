// Reading JSON bodies, within bounds, and handing over others as they come. A refused body is read and dropped, also within bounds: most clients look at the
// answer only after they have sent everything, and would otherwise see a broken pipe instead of the refusal.
import type { IncomingMessage } from 'node:http'
import { AppError } from '@wrenn/base'
import type { RawBody } from '@wrenn/contract'
import { unsupportedMediaType } from './error-answer.ts'

const maxJsonBytes = 1024 * 1024
const bodyDeadlineMs = 30_000
const maxDroppedBytes = 16 * 1024 * 1024
const dropDeadlineMs = 5_000

/** The parsed body; undefined when it is empty. */
export async function readJsonBody(
  request: IncomingMessage,
  contentType: string | undefined,
): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > maxJsonBytes) throw tooLarge()
  const bytes = await readBytes(request)
  if (bytes.length === 0) return undefined
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? '')) throw unsupportedMediaType()
  try {
    // `fatal`: invalid UTF-8 is refused, not replaced.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch (error) {
    // Not as a cause: the parser's message quotes the body, which may hold a password, and causes are logged.
    const position = /at position \d+/.exec(String(error))?.[0] ?? ''
    throw new AppError('invalid_request', `The body is not valid JSON ${position}`.trim())
  }
}

/** A body of one of these content types, unread. */
export function rawBody(request: IncomingMessage, types: readonly string[]): RawBody {
  const contentType = request.headers['content-type'] ?? ''
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  if (!types.includes(type)) throw unsupportedMediaType(types)
  const length = request.headers['content-length']
  return { contentType, sizeBytes: length === undefined ? undefined : Number(length), stream: request }
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(
      () => fail(new AppError('invalid_request', 'The body did not arrive in time')),
      bodyDeadlineMs,
    )
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > maxJsonBytes) fail(tooLarge())
      else chunks.push(chunk)
    }
    const onEnd = (): void => {
      stop()
      resolve(Buffer.concat(chunks))
    }
    const onClose = (): void => fail(new AppError('invalid_request', 'The body broke off'))
    const stop = (): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose)
    }
    const fail = (error: AppError): void => {
      stop()
      reject(error)
    }
    request.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose)
  })
}

/** Reads what is left of the body and drops it. False when there was too much of it: the connection must be closed. */
export function dropBody(request: IncomingMessage, maxBytes = maxDroppedBytes): Promise<boolean> {
  if (request.complete || request.destroyed) return Promise.resolve(true)
  return new Promise((resolve) => {
    let size = 0
    const done = (all: boolean) => (): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('error', onEnd).off('close', onEnd)
      resolve(all)
    }
    const onEnd = done(true)
    const timer = setTimeout(done(false), dropDeadlineMs)
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > maxBytes) done(false)()
    }
    request.on('data', onData).on('end', onEnd).on('error', onEnd).on('close', onEnd)
    request.resume()
  })
}

function tooLarge(): AppError {
  return new AppError(
    'too_large',
    `The body is larger than ${maxJsonBytes} bytes, the most that JSON may have`,
  )
}
