// Terminals in a guest: commands on pseudo-terminals, which outlive those who follow them. What they show is delivered as
// lines of JSON, as clients get them as messages; what is typed goes in one piece after the other.
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { AppError, errorText, type ErrorCode } from '@wrenn/base'
import { callOnce } from './answers.ts'
import type { Envd } from './envd.ts'
import {
  connectProcess,
  killAfterMs,
  processEvents,
  startProcess,
  type GuestCommand,
  type ProcessEvent,
} from './process.ts'

export interface TerminalSize {
  cols: number
  rows: number
}

export interface TerminalCommand extends Omit<GuestCommand, 'cmd' | 'stdin'> {
  /** Left out: the user's login shell, which gets the arguments. */
  cmd?: string
}

/** Who follows a terminal. */
interface Follower {
  size: TerminalSize
  /** The follower is gone. */
  signal: AbortSignal
}

type Message =
  | { type: 'start'; pid: number }
  | { type: 'output'; data: string }
  | { type: 'exit'; exit_code: number }
  | { type: 'error'; code: ErrorCode; data: string }

const callMs = 10_000
const signalMs = 5_000
/** A terminal whose processes do not read takes nothing; whoever types waits that long. */
const inputMs = 3_600_000

/** As login(1) runs it, but that a missing one is no reason not to get in. SHELL is that of /etc/passwd. */
const loginShell = '[ -x "$SHELL" ] || SHELL=/bin/sh; exec "$SHELL" -l "$@"'

const nothing = z.object({})
/** What runs without a terminal has none, either. */
const codes: Record<string, ErrorCode> = {
  not_found: 'not_found',
  failed_precondition: 'not_found',
  invalid_argument: 'invalid_request',
}

/**
 * Returns once it runs; the lines end with `exit` or `error`, whatever happens. A command that cannot be run shows why,
 * and has the exit code that a shell would give. Throws `invalid_request` for folder, user and arguments.
 */
export async function startTerminal(
  envd: Envd,
  { cmd, args, ...rest }: TerminalCommand,
  { size, signal }: Follower,
): Promise<AsyncGenerator<Buffer>> {
  const command =
    cmd === undefined ? { cmd: '/bin/sh', args: ['-c', loginShell, 'sh', ...args] } : { cmd, args }
  // The follower's signal cuts the stream only once the pid is known: before that nobody could end the terminal.
  const cut = new AbortController()
  const stream = await startProcess(envd, { ...command, ...rest }, { terminal: size, signal: cut.signal })
  const events = processEvents(stream)
  const first = await firstOf(events)
  if (first.kind === 'failure') return cannotRun(first)
  if (signal.aborted) {
    cut.abort(signal.reason)
    void stopTerminal(envd, first.pid)
    signal.throwIfAborted()
  }
  signal.addEventListener('abort', () => cut.abort(signal.reason), { once: true })
  return encoded(follow(first, events, signal))
}

/** As `startTerminal`, of one that runs: its last output first. Throws `not_found`. */
export async function attachTerminal(
  envd: Envd,
  pid: number,
  { size, signal }: Follower,
): Promise<AsyncGenerator<Buffer>> {
  // Refused when it is no terminal; and what runs in it draws for the new size.
  await resizeTerminal(envd, pid, size)
  const events = processEvents(await connectProcess(envd, pid, signal))
  const first = await firstOf(events)
  if (first.kind === 'start') return encoded(follow(first, events, signal))
  if (first.code === 'not_found') throw noTerminal(pid)
  throw new AppError('agent_error', `the sandbox could not attach to the terminal: ${first.message}`)
}

/** Types what comes, until that ends. Throws `not_found` when the terminal is gone. */
export async function feedTerminal(
  envd: Envd,
  pid: number,
  { input, signal }: { input: Readable; signal: AbortSignal },
): Promise<void> {
  // Each chunk is all that has come while the one before was typed.
  for await (const chunk of input.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const request = { process: { pid }, input: { pty: chunk.toString('base64') } }
    await onTerminal(envd, pid, { method: 'SendInput', request, timeoutMs: inputMs, signal })
  }
}

/** Throws `not_found`. */
export async function resizeTerminal(envd: Envd, pid: number, size: TerminalSize): Promise<void> {
  const request = { process: { pid }, pty: { size } }
  await onTerminal(envd, pid, { method: 'Update', request, timeoutMs: callMs })
}

/** SIGHUP to all processes of the terminal, SIGKILL to what is left 5 s later. One that is gone, or a lost VM, is fine. */
export async function stopTerminal(envd: Envd, pid: number): Promise<void> {
  for (const [signal, afterMs] of [
    ['SIGNAL_SIGHUP', 0],
    ['SIGNAL_SIGKILL', killAfterMs],
  ] as const) {
    await sleep(afterMs)
    const request = { process: { pid }, signal }
    const told = onTerminal(envd, pid, { method: 'SendSignal', request, timeoutMs: signalMs })
    if (!(await told.then(() => true).catch(() => false))) return
  }
}

async function onTerminal(
  envd: Envd,
  pid: number,
  { method, ...call }: { method: string; request: object; timeoutMs: number; signal?: AbortSignal },
): Promise<void> {
  try {
    await callOnce(envd, `process.Process/${method}`, { ...call, answer: nothing, codes })
  } catch (error) {
    throw error instanceof AppError && error.code === 'not_found' ? noTerminal(pid, error) : error
  }
}

function noTerminal(pid: number, cause?: unknown): AppError {
  return new AppError('not_found', `There is no terminal ${pid}`, { cause })
}

type First = Extract<ProcessEvent, { kind: 'start' | 'failure' }>

async function firstOf(events: AsyncGenerator<ProcessEvent>): Promise<First> {
  const { value } = await events.next()
  if (value?.kind === 'start') return value
  await events.return(undefined)
  if (value?.kind === 'failure') return value
  throw new AppError('agent_error', 'the sandbox answered with something unexpected')
}

async function* encoded(messages: AsyncIterable<Message> | Iterable<Message>): AsyncGenerator<Buffer> {
  for await (const message of messages) yield Buffer.from(`${JSON.stringify(message)}\n`)
}

/** Ends with `exit` or `error`. */
async function* follow(
  { pid }: Extract<First, { kind: 'start' }>,
  events: AsyncGenerator<ProcessEvent>,
  signal: AbortSignal,
): AsyncGenerator<Message> {
  const decoder = new StringDecoder('utf8')
  try {
    yield { type: 'start', pid }
    for await (const event of events) {
      if (event.kind === 'failure') yield { type: 'error', code: 'agent_error', data: event.message }
      else if (event.kind !== 'start') {
        const data = event.kind === 'end' ? decoder.end() : decoder.write(event.bytes)
        if (data !== '') yield { type: 'output', data }
        if (event.kind === 'end') yield { type: 'exit', exit_code: event.exitCode }
      }
    }
  } catch (error) {
    if (!signal.aborted) yield told(error)
  } finally {
    await events.return(undefined)
  }
}

function cannotRun({ code, message }: Extract<First, { kind: 'failure' }>): AsyncGenerator<Buffer> {
  if (code === 'invalid_argument') throw new AppError('invalid_request', message)
  const exitCode = { not_found: 127, permission_denied: 126 }[code]
  if (exitCode === undefined)
    throw new AppError('agent_error', `the sandbox could not open a terminal: ${message}`)
  return encoded([
    { type: 'output', data: `${message}\r\n` },
    { type: 'exit', exit_code: exitCode },
  ])
}

function told(error: unknown): Message {
  if (error instanceof AppError) return { type: 'error', code: error.code, data: error.message }
  const data = `the sandbox stopped answering: ${errorText(error)}`
  return { type: 'error', code: 'agent_error', data }
}
