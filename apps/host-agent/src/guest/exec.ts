// Running a command to its end through envd's process service, and collecting what it writes.
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { AppError, KIB, MIB } from '@wrenn/base'
import type { Envd } from './envd.ts'
import { decodeFrames, encodeFrame } from './frames.ts'

export interface ExecRequest {
  cmd: string
  args: readonly string[]
  envs?: Record<string, string>
  cwd?: string
  user?: string
  stdin?: string
  timeoutSec: number
  signal?: AbortSignal
}

export interface ExecResult {
  exitCode: number
  stdout: string
  stderr: string
  encoding: 'utf-8' | 'base64'
  durationMs: number
  timedOut: boolean
  truncated: boolean
}

/** What is kept of each stream; the rest is read and dropped, so that the command never blocks on it. */
const maxStreamBytes = 16 * MIB
/** On top of the command's own time: for envd to end it and to deliver what it wrote. */
const graceMs = 15_000

/** Guests are not trusted: whatever they send has these types or is refused. */
const processEvent = z.object({
  event: z
    .object({
      start: z.object({ pid: z.int() }).optional(),
      data: z.object({ stdout: z.string().optional(), stderr: z.string().optional() }).optional(),
      end: z.object({ exitCode: z.int().optional() }).optional(),
    })
    .optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})

export async function exec(envd: Envd, request: ExecRequest): Promise<ExecResult> {
  const started = performance.now()
  const limit = AbortSignal.timeout(request.timeoutSec * 1000 + graceMs)
  const signal = request.signal ? AbortSignal.any([limit, request.signal]) : limit
  const output = { stdout: new Output(), stderr: new Output() }
  const stream = await start(envd, request, signal)
  const over = new AbortController()
  let exit: Exit
  try {
    exit = await follow(stream, output, (pid) => {
      if (request.stdin !== undefined) feed(envd, { pid, stdin: request.stdin, signal: over.signal })
    })
  } finally {
    over.abort()
  }
  const [stdout, stderr] = [output.stdout.bytes(), output.stderr.bytes()]
  const encoding = isUtf8(stdout) && isUtf8(stderr) ? 'utf-8' : 'base64'
  const text = (bytes: Buffer): string => bytes.toString(encoding === 'utf-8' ? 'utf8' : 'base64')
  return {
    exitCode: exit.code,
    stdout: text(stdout),
    stderr: exit.message === undefined ? text(stderr) : `${exit.message}\n`,
    encoding,
    durationMs: Math.round(performance.now() - started),
    timedOut: exit.timedOut === true,
    truncated: output.stdout.truncated || output.stderr.truncated,
  }
}

async function start(envd: Envd, request: ExecRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { cmd, args, envs, cwd, user = 'root', stdin } = request
  const { status, stream } = await envd.post('/process.Process/Start', {
    headers: {
      'content-type': 'application/connect+json',
      'connect-protocol-version': '1',
      'connect-timeout-ms': String(request.timeoutSec * 1000),
      authorization: `Basic ${Buffer.from(`${user}:`).toString('base64')}`,
    },
    body: encodeFrame({ process: { cmd, args, envs, cwd }, stdin: stdin !== undefined }),
    timeoutMs: graceMs,
    signal,
  })
  if (status === 200) return stream
  stream.destroy()
  throw new AppError('agent_error', `the sandbox refused to start the command (envd: ${status})`)
}

interface Exit {
  code: number
  timedOut?: boolean
  /** Instead of stderr: why it did not start. */
  message?: string
}

/** Reads to the end of the response, beyond the last frame, so that its connection can be used again. */
async function follow(
  stream: IncomingMessage,
  output: { stdout: Output; stderr: Output },
  onStart: (pid: number) => void,
): Promise<Exit> {
  let exit: Exit | undefined
  let complete = false
  for await (const { last, json } of decodeFrames(stream)) {
    const { event, error } = processEvent.parse(json)
    if (event?.start) onStart(event.start.pid)
    if (event?.data?.stdout) output.stdout.add(event.data.stdout)
    if (event?.data?.stderr) output.stderr.add(event.data.stderr)
    if (event?.end) exit = { code: event.end.exitCode ?? 0 }
    if (error) exit = failure(error)
    complete ||= last
  }
  if (complete && exit) return exit
  throw new AppError('agent_error', 'the sandbox stopped answering while the command ran')
}

/** Errors of the Connect protocol that envd's Start answers with, as exit codes that a shell would give. */
function failure({ code, message }: { code: string; message: string }): Exit {
  switch (code) {
    case 'deadline_exceeded':
      return { code: 124, timedOut: true }
    case 'not_found':
      return { code: 127, message }
    case 'permission_denied':
      return { code: 126, message }
    case 'invalid_argument':
      throw new AppError('invalid_request', message)
    default:
      throw new AppError('agent_error', `the sandbox could not run the command: ${message}`)
  }
}

/** Beside the output: a command may write before it has read everything. One that ends without reading makes it fail. */
function feed(envd: Envd, { pid, stdin, signal }: { pid: number; stdin: string; signal: AbortSignal }): void {
  const call = async (method: string, body: object): Promise<void> => {
    const { stream } = await envd.post(`/process.Process/${method}`, {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ process: { pid }, ...body })),
      timeoutMs: 3_600_000,
      signal,
    })
    stream.resume()
  }
  const input = { stdin: Buffer.from(stdin).toString('base64') }
  call('SendInput', { input })
    .then(() => call('CloseStdin', {}))
    .catch(() => undefined)
}

/** In one growing buffer: a million tiny pieces take no more memory than a large one. */
class Output {
  truncated = false
  #buffer = Buffer.alloc(0)
  #length = 0

  add(base64: string): void {
    const chunk = Buffer.from(base64, 'base64')
    const kept = chunk.subarray(0, maxStreamBytes - this.#length)
    if (kept.length < chunk.length) this.truncated = true
    this.#reserve(this.#length + kept.length)
    this.#length += kept.copy(this.#buffer, this.#length)
  }

  bytes(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length)
    return this.truncated ? withoutPartialCharacter(bytes) : bytes
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return
    const larger = Buffer.alloc(Math.min(maxStreamBytes, Math.max(size, this.#buffer.length * 2, 4 * KIB)))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** Text that is cut within a character is still text. */
function withoutPartialCharacter(bytes: Buffer): Buffer {
  const candidates = [0, 1, 2, 3].map((cut) => bytes.subarray(0, bytes.length - cut))
  return candidates.find((candidate) => isUtf8(candidate)) ?? bytes
}
