// Files of a guest, in and out, through envd's /files. Nothing is held here but what the sockets hold.
import type { Readable } from 'node:stream'
import { AppError } from '@wrenn/base'
import { refusal } from './answers.ts'
import type { Envd } from './envd.ts'

export interface FileContent {
  /** Undefined when the guest does not know it: files of /proc. */
  sizeBytes: number | undefined
  /** Destroyed with an error when it breaks off. */
  stream: Readable
}

export interface Upload {
  /** Undefined: the content is a form, whose field `path` says it. */
  path: string | undefined
  contentType: string
  /** Read as far as the guest wants it, and not destroyed. */
  stream: Readable
  signal: AbortSignal
}

const answerMs = 30_000
/** No byte in either direction for so long: the transfer is dead. The same as envd's. */
const idleMs = 600_000

/** Throws `not_found`, and `invalid_request` for what is no regular file. */
export async function readFile(envd: Envd, path: string, signal: AbortSignal): Promise<FileContent> {
  const { status, stream } = await envd.send('GET', filesUrl(path), { timeoutMs: answerMs, idleMs, signal })
  if (status !== 200) throw await refusal(status, stream)
  const length = stream.headers['content-length']
  return { sizeBytes: length === undefined ? undefined : Number(length), stream }
}

/** Returns when the file is in its place. Throws `invalid_request` and `disk_full`. */
export async function writeFile(envd: Envd, upload: Upload): Promise<void> {
  const { path, contentType, stream: body, signal } = upload
  const headers = { 'content-type': contentType }
  const answer = await envd.send('POST', filesUrl(path), { headers, body, idleMs, signal })
  if (answer.status === 200) {
    answer.stream.resume()
    return
  }
  const error = await refusal(answer.status, answer.stream)
  // Below what is not there nothing can be written: the caller's path is wrong, not the sandbox missing.
  const isPath = error.code === 'not_found' || error.code === 'already_exists'
  throw isPath ? new AppError('invalid_request', error.message) : error
}

function filesUrl(path: string | undefined): string {
  return `/files?${new URLSearchParams({ username: 'root', ...(path === undefined ? {} : { path }) }).toString()}`
}
