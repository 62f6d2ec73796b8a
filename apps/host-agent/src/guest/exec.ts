// Running a command to its end through envd's process service, and collecting what it writes.
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { AppError, MIB } from '@wrenn/base'
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

interface ProcessEvent {
  event?: {
    start?: { pid: number }
    data?: { stdout?: string; stderr?: string }
    end?: { exitCode?: number; exited?: boolean; status?: string; error?: string }
  }
  error?: { code: string; message: string }
}

export async function exec(envd: Envd, request: ExecRequest): Promise<ExecResult> {
  const started = performance.now()
  const limit = AbortSignal.timeout(request.timeoutSec * 1000 + graceMs)
  const signal = request.signal ? AbortSignal.any([limit, request.signal]) : limit
  const output = { stdout: new Output(), stderr: new Output() }
  const exit = await follow(envd, await start(envd, request, signal), output, request.stdin)
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

async function follow(
  envd: Envd,
  stream: IncomingMessage,
  output: { stdout: Output; stderr: Output },
  stdin: string | undefined,
): Promise<Exit> {
  let exit: Exit | undefined
  for await (const { last, json } of decodeFrames(stream)) {
    const { event, error } = json as ProcessEvent
    if (event?.start && stdin !== undefined) feed(envd, event.start.pid, stdin)
    if (event?.data?.stdout) output.stdout.add(event.data.stdout)
    if (event?.data?.stderr) output.stderr.add(event.data.stderr)
    if (event?.end) exit = { code: event.end.exitCode ?? 0 }
    if (error) return failure(error)
    if (last && exit) return exit
  }
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
function feed(envd: Envd, pid: number, stdin: string): void {
  const call = async (method: string, body: object): Promise<void> => {
    const { stream } = await envd.post(`/process.Process/${method}`, {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ process: { pid }, ...body })),
      timeoutMs: 3_600_000,
    })
    stream.resume()
  }
  const input = { stdin: Buffer.from(stdin).toString('base64') }
  call('SendInput', { input })
    .then(() => call('CloseStdin', {}))
    .catch(() => undefined)
}

class Output {
  truncated = false
  readonly #chunks: Buffer[] = []
  #length = 0

  add(base64: string): void {
    const chunk = Buffer.from(base64, 'base64')
    const room = maxStreamBytes - this.#length
    if (chunk.length > room) this.truncated = true
    if (room === 0) return
    const kept = chunk.subarray(0, room)
    this.#chunks.push(kept)
    this.#length += kept.length
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }
}
