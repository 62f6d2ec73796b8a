// Running a command to its end through envd's process service, and collecting what it writes.
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { AppError, KIB, MIB } from '@wrenn/base'
import type { Envd } from './envd.ts'
import { feed, graceMs, processEvents, startProcess, type GuestCommand } from './process.ts'

export interface ExecRequest extends GuestCommand {
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
export async function exec(envd: Envd, request: ExecRequest): Promise<ExecResult> {
  const started = performance.now()
  const limit = AbortSignal.timeout(request.timeoutSec * 1000 + graceMs)
  const signal = request.signal ? AbortSignal.any([limit, request.signal]) : limit
  const output = { stdout: new Output(), stderr: new Output() }
  const stream = await startProcess(envd, request, { timeoutSec: request.timeoutSec, signal })
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

interface Exit {
  code: number
  timedOut?: boolean
  /** Instead of stderr: why it did not start. */
  message?: string
}

async function follow(
  stream: IncomingMessage,
  output: { stdout: Output; stderr: Output },
  onStart: (pid: number) => void,
): Promise<Exit> {
  let exit: Exit | undefined
  for await (const event of processEvents(stream)) {
    if (event.kind === 'start') onStart(event.pid)
    else if (event.kind === 'end') exit = { code: event.exitCode }
    else if (event.kind === 'failure') exit = failure(event)
    else output[event.kind].add(event.bytes)
  }
  if (exit) return exit
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

/** In one growing buffer: a million tiny pieces take no more memory than a large one. */
class Output {
  truncated = false
  #buffer = Buffer.alloc(0)
  #length = 0

  add(chunk: Buffer): void {
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
