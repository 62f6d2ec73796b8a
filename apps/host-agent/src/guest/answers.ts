// What envd answers: refusals as errors of ours, and JSON within bounds. Guests are not trusted: what does not have the
// expected form is an error, and nothing of it is quoted.
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { AppError, MIB, withDeadline, type ErrorCode } from '@wrenn/base'
import type { Envd } from './envd.ts'

const errorMs = 5_000
/** The longest list of a folder that envd gives, with names of the usual length many times over. */
const maxJsonBytes = 64 * MIB

const failure = z.object({ code: z.string(), message: z.string().max(8_192) })

/** Connect's codes that are the caller's doing. */
const usualCodes: Record<string, ErrorCode> = {
  not_found: 'not_found',
  already_exists: 'already_exists',
  invalid_argument: 'invalid_request',
  permission_denied: 'invalid_request',
}

/** Why envd refused; reads the answer to its end. */
export async function refusal(
  status: number,
  stream: IncomingMessage,
  codes = usualCodes,
): Promise<AppError> {
  const body = await withDeadline('envd says why', errorMs, text(stream))
  const parsed = failure.safeParse(parse(body))
  const message = parsed.success ? parsed.data.message : `the sandbox answered with status ${status}`
  if (status === 507) return new AppError('disk_full', message)
  return new AppError((parsed.success && codes[parsed.data.code]) || 'agent_error', message)
}

export interface UnaryCall<T> {
  request: object
  answer: z.ZodType<T>
  /** Without a byte of an answer for so long the call fails. */
  timeoutMs: number
  /** What envd's codes mean to the caller, where it is not the usual. */
  codes?: Record<string, ErrorCode>
  signal?: AbortSignal
}

/** A method of envd that answers once. Throws an AppError when it refuses. */
export async function callOnce<T>(envd: Envd, method: string, call: UnaryCall<T>): Promise<T> {
  const { status, stream } = await envd.post(`/${method}`, {
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(call.request)),
    timeoutMs: call.timeoutMs,
    ...(call.signal ? { signal: call.signal } : {}),
  })
  if (status !== 200) throw await refusal(status, stream, call.codes)
  return readAnswer(stream, call)
}

/** The JSON of an answer. */
export async function readAnswer<T>(
  stream: IncomingMessage,
  { answer, timeoutMs }: Pick<UnaryCall<T>, 'answer' | 'timeoutMs'>,
): Promise<T> {
  try {
    const body = await withDeadline('envd sends its answer', timeoutMs, boundedText(stream))
    const parsed = answer.safeParse(parse(body))
    if (parsed.success) return parsed.data
    throw new AppError('agent_error', 'the sandbox answered with something unexpected', {
      cause: parsed.error,
    })
  } finally {
    stream.destroy()
  }
}

async function boundedText(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxJsonBytes) throw new AppError('agent_error', 'the sandbox answered with too much')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return undefined
  }
}
