// A process in a guest, through envd's process service: starting it, what it does, feeding and signalling it.
import { setTimeout as sleep } from 'node:timers/promises'
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { AppError } from '@wrenn/base'
import type { Envd, EnvdResponse } from './envd.ts'
import { decodeFrames, encodeFrame } from './frames.ts'

export interface GuestCommand {
  cmd: string
  args: readonly string[]
  envs?: Record<string, string>
  cwd?: string
  user?: string
  stdin?: string
}

export type ProcessEvent =
  | { kind: 'start'; pid: number }
  /** All that a terminal shows is its stdout. */
  | { kind: 'stdout' | 'stderr'; bytes: Buffer }
  /** 128+n when it was killed by signal n. */
  | { kind: 'end'; exitCode: number }
  /** Instead of the end, or of everything; one of Connect's codes. */
  | { kind: 'failure'; code: string; message: string }

/** For envd to begin its answer, and to deliver what a command wrote in its last moment. */
export const graceMs = 15_000
/** Between asking a process to end and making it. */
export const killAfterMs = 5_000
const signalMs = 5_000
const streamHeaders = { 'content-type': 'application/connect+json', 'connect-protocol-version': '1' }

/** Guests are not trusted: whatever they send has these types or is refused. */
const frame = z.object({
  event: z
    .object({
      start: z.object({ pid: z.int() }).optional(),
      data: z
        .object({
          stdout: z.string().optional(),
          stderr: z.string().optional(),
          pty: z.string().optional(),
        })
        .optional(),
      end: z.object({ exitCode: z.int().optional() }).optional(),
    })
    .optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})

/**
 * Returns when envd has taken it; the answer is for `processEvents`. With `waits` the process waits for whoever reads
 * that, as long as it is not closed; without, envd drops a reader that takes nothing for 30 s.
 */
export async function startProcess(
  envd: Envd,
  command: GuestCommand,
  {
    timeoutSec,
    waits = false,
    terminal,
    signal,
  }: {
    timeoutSec?: number
    waits?: boolean
    /** On a terminal of this size. */
    terminal?: { cols: number; rows: number }
    signal: AbortSignal
  },
): Promise<IncomingMessage> {
  const { cmd, args, envs, cwd, user = 'root', stdin } = command
  const answer = await envd.post('/process.Process/Start', {
    headers: {
      ...streamHeaders,
      ...(timeoutSec === undefined ? {} : { 'connect-timeout-ms': String(timeoutSec * 1000) }),
      ...(waits ? { 'wait-for-reader': 'connected' } : {}),
      authorization: `Basic ${Buffer.from(`${user}:`).toString('base64')}`,
    },
    body: encodeFrame({
      process: { cmd, args, envs, cwd },
      stdin: stdin !== undefined,
      ...(terminal ? { pty: { size: terminal } } : {}),
    }),
    timeoutMs: graceMs,
    signal,
  })
  return streamOf(answer, 'start the command')
}

/** As `startProcess`, of one that runs. Closing the answer leaves it running. */
export async function connectProcess(envd: Envd, pid: number, signal: AbortSignal): Promise<IncomingMessage> {
  const answer = await envd.post('/process.Process/Connect', {
    headers: streamHeaders,
    body: encodeFrame({ process: { pid } }),
    timeoutMs: graceMs,
    signal,
  })
  return streamOf(answer, 'connect to the command')
}

function streamOf({ status, stream }: EnvdResponse, what: string): IncomingMessage {
  if (status === 200) return stream
  stream.destroy()
  throw new AppError('agent_error', `the sandbox refused to ${what} (envd: ${status})`)
}

/**
 * Yields what happens until the process has ended. Reads to the end of the answer, beyond the last frame, so that its
 * connection can be used again. Throws when it breaks off.
 */
export async function* processEvents(stream: IncomingMessage): AsyncGenerator<ProcessEvent> {
  let ended = false
  let complete = false
  for await (const { last, json } of decodeFrames(stream)) {
    const { event, error } = frame.parse(json)
    if (event?.start) yield { kind: 'start', pid: event.start.pid }
    const stdout = event?.data?.stdout ?? event?.data?.pty
    if (stdout) yield { kind: 'stdout', bytes: Buffer.from(stdout, 'base64') }
    if (event?.data?.stderr) yield { kind: 'stderr', bytes: Buffer.from(event.data.stderr, 'base64') }
    if (event?.end) yield { kind: 'end', exitCode: event.end.exitCode ?? 0 }
    if (error) yield { kind: 'failure', ...error }
    ended ||= event?.end !== undefined || error !== undefined
    complete ||= last
  }
  if (!complete || !ended)
    throw new AppError('agent_error', 'the sandbox stopped answering while the command ran')
}

/** Beside the output: a command may write before it has read everything. One that ends without reading makes it fail. */
export function feed(
  envd: Envd,
  { pid, stdin, signal }: { pid: number; stdin: string; signal: AbortSignal },
): void {
  const options = { timeoutMs: 3_600_000, signal }
  const input = { stdin: Buffer.from(stdin).toString('base64') }
  call(envd, 'SendInput', { process: { pid }, input }, options)
    .then(() => call(envd, 'CloseStdin', { process: { pid } }, options))
    .catch(() => undefined)
}

/** SIGTERM to the process group, SIGKILL if it is still there 5 s later. One that has ended, or a lost VM, is fine. */
export async function stopProcess(envd: Envd, pid: number): Promise<void> {
  for (const [signal, afterMs] of [
    ['SIGNAL_SIGTERM', 0],
    ['SIGNAL_SIGKILL', killAfterMs],
  ] as const) {
    await sleep(afterMs)
    const answer = call(envd, 'SendSignal', { process: { pid }, signal }, { timeoutMs: signalMs })
    if ((await answer.catch(() => undefined)) !== 200) return
  }
}

async function call(
  envd: Envd,
  method: string,
  body: object,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<number> {
  const { status, stream } = await envd.post(`/process.Process/${method}`, {
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
    ...options,
  })
  stream.resume()
  return status
}
