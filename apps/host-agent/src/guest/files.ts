// Files of a guest, in and out, through envd's /files. Nothing is held here but what the sockets hold.
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { AppError, withDeadline, type ErrorCode } from '@wrenn/base'
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
const errorMs = 5_000
/** No byte in either direction for so long: the transfer is dead. The same as envd's. */
const idleMs = 600_000

/** Guests are not trusted: what they send has this form or stays unquoted. */
const failure = z.object({ code: z.string(), message: z.string().max(8_192) })

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
  throw error.code === 'not_found' ? new AppError('invalid_request', error.message) : error
}

function filesUrl(path: string | undefined): string {
  return `/files?${new URLSearchParams({ username: 'root', ...(path === undefined ? {} : { path }) }).toString()}`
}

/** Connect's codes that are the caller's doing. */
const codes: Record<string, ErrorCode> = {
  not_found: 'not_found',
  invalid_argument: 'invalid_request',
  permission_denied: 'invalid_request',
  already_exists: 'invalid_request',
}

async function refusal(status: number, stream: IncomingMessage): Promise<AppError> {
  const body = await withDeadline('envd says why', errorMs, text(stream))
  const parsed = failure.safeParse(safeJson(body))
  const message = parsed.success ? parsed.data.message : `the sandbox answered with status ${status}`
  if (status === 507) return new AppError('disk_full', message)
  return new AppError((parsed.success && codes[parsed.data.code]) || 'agent_error', message)
}

function safeJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return undefined
  }
}
