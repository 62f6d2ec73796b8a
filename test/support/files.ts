// Uploads and downloads as a client of the public API sends them, part by part, with any order and any end.
import { createHash, randomBytes } from 'node:crypto'
import { request, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeBody } from '@wrenn/base'
import type { User } from './user.ts'

export interface FileAnswer {
  status: number
  /** The code of an error. */
  code: string | undefined
  message: string | undefined
}

type Part = readonly [name: 'path' | 'file' | (string & {}), content: string | Buffer | Readable]
type Variant = 'files' | 'files/stream'

const boundary = 'boundary-of-the-tests'

/** For a shell in the guest: how many files envd has begun and not put in their place. */
export const temporaryFiles = 'find / -xdev -name ".envd-*" 2>/dev/null | wc -l'

/** The bytes of a form. */
function formOf(parts: readonly Part[], options: { end?: boolean } = {}): Readable {
  const bytes = async function* (): AsyncGenerator<Buffer> {
    for (const [name, content] of parts) {
      const file = name === 'file' ? '; filename="local.bin"' : ''
      yield Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n`)
      if (content instanceof Readable) yield* content as AsyncIterable<Buffer>
      else yield Buffer.from(content)
      yield Buffer.from('\r\n')
    }
    if (options.end !== false) yield Buffer.from(`--${boundary}--\r\n`)
  }
  return Readable.from(bytes(), { objectMode: false })
}

/** Sends a form and reads the answer, which may come before all of it is sent. */
export function upload(
  user: User,
  id: string,
  form: { variant?: Variant; parts: readonly Part[]; headers?: Record<string, string> },
): Promise<FileAnswer> {
  const { variant = 'files', parts, headers } = form
  return new Promise((resolve, reject) => {
    const call = request(`${user.url}/v1/sandboxes/${id}/${variant}/write`, {
      method: 'POST',
      agent: false,
      headers: {
        'x-api-key': user.key,
        'content-type': `multipart/form-data; boundary=${boundary}`,
        ...headers,
      },
    })
    call.on('error', reject)
    call.on('response', (answer) => {
      readAnswer(answer).then(resolve, reject)
      answer.once('close', () => call.destroy())
    })
    pipeBody(formOf(parts), call)
  })
}

/** The answer to a download, its body unread. */
export function download(
  user: User,
  id: string,
  file: { variant?: Variant; path: string; signal?: AbortSignal },
): Promise<IncomingMessage> {
  const { variant = 'files', path, signal } = file
  return new Promise((resolve, reject) => {
    const call = request(`${user.url}/v1/sandboxes/${id}/${variant}/read`, {
      method: 'POST',
      headers: { 'x-api-key': user.key, 'content-type': 'application/json' },
      ...(signal ? { signal } : {}),
    })
    call.on('error', reject).on('response', resolve)
    call.end(JSON.stringify({ path }))
  })
}

export async function readAnswer(answer: IncomingMessage): Promise<FileAnswer> {
  const body = await text(answer)
  const { error } = (body === '' ? {} : JSON.parse(body)) as { error?: { code: string; message: string } }
  return { status: answer.statusCode ?? 0, code: error?.code, message: error?.message }
}

/** Bytes that repeat only after a megabyte, and the hash of all that was read of them. */
export function testBytes(sizeBytes: number): { stream: Readable; sha256: () => string } {
  const block = randomBytes(1_000_003)
  const hash = createHash('sha256')
  const blocks = function* (): Generator<Buffer> {
    for (let left = sizeBytes; left > 0; left -= block.length) {
      const piece = block.subarray(0, Math.min(left, block.length))
      hash.update(piece)
      yield piece
    }
  }
  return { stream: Readable.from(blocks(), { objectMode: false }), sha256: () => hash.digest('hex') }
}

export async function sha256(stream: Readable): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk)
    sizeBytes += chunk.length
  }
  return { sha256: hash.digest('hex'), sizeBytes }
}
