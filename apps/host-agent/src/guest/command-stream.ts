// A command whose output is delivered as it comes: lines of JSON, as clients get them as messages. Whoever reads slowly
// slows the command; whoever leaves ends it.
import { StringDecoder } from 'node:string_decoder'
import { AppError, errorText } from '@wrenn/base'
import type { Envd } from './envd.ts'
import { feed, processEvents, startProcess, stopProcess, type GuestCommand } from './process.ts'

export interface StreamRequest extends GuestCommand {
  /** How bytes become text: decoded across the borders of chunks, or as base64. */
  encoding: 'utf-8' | 'base64'
  /** The reader is gone. */
  signal: AbortSignal
}

type Message =
  | { type: 'start'; pid: number }
  | { type: 'stdout' | 'stderr'; data: string }
  | { type: 'exit'; exit_code: number }
  | { type: 'error'; data: string }

/** Ends with an `exit` or an `error` line, whatever happens. */
export async function* commandLines(envd: Envd, request: StreamRequest): AsyncGenerator<Buffer> {
  for await (const message of messages(envd, request)) yield Buffer.from(`${JSON.stringify(message)}\n`)
}

async function* messages(envd: Envd, request: StreamRequest): AsyncGenerator<Message> {
  // The reader's signal cuts the stream only once the pid is known: before that nobody could end the process.
  const cut = new AbortController()
  const over = new AbortController()
  const leave = (): void => cut.abort(request.signal.reason)
  const decode = { stdout: decoder(request.encoding), stderr: decoder(request.encoding) }
  let running: number | undefined
  try {
    const stream = await startProcess(envd, request, { waits: true, signal: cut.signal })
    for await (const event of processEvents(stream)) {
      switch (event.kind) {
        case 'start':
          running = event.pid
          if (request.stdin !== undefined)
            feed(envd, { pid: event.pid, stdin: request.stdin, signal: over.signal })
          if (request.signal.aborted) return
          request.signal.addEventListener('abort', leave, { once: true })
          yield { type: 'start', pid: event.pid }
          break
        case 'stdout':
        case 'stderr': {
          const data = decode[event.kind].write(event.bytes)
          if (data !== '') yield { type: event.kind, data }
          break
        }
        case 'end':
          running = undefined
          for (const type of ['stdout', 'stderr'] as const) {
            const data = decode[type].end()
            if (data !== '') yield { type, data }
          }
          yield { type: 'exit', exit_code: event.exitCode }
          break
        case 'failure':
          yield* failed(event)
          break
      }
    }
  } catch (error) {
    if (!request.signal.aborted) yield { type: 'error', data: reason(error) }
  } finally {
    over.abort()
    request.signal.removeEventListener('abort', leave)
    if (running !== undefined) void stopProcess(envd, running)
  }
}

/** As exec has it: what cannot be run has the exit code that a shell would give. */
function* failed({ code, message }: { code: string; message: string }): Generator<Message> {
  const exitCode = { not_found: 127, permission_denied: 126 }[code]
  if (exitCode === undefined) yield { type: 'error', data: message }
  else {
    yield { type: 'stderr', data: `${message}\n` }
    yield { type: 'exit', exit_code: exitCode }
  }
}

function decoder(encoding: StreamRequest['encoding']): Pick<StringDecoder, 'write' | 'end'> {
  if (encoding === 'utf-8') return new StringDecoder('utf8')
  return { write: (bytes) => (bytes as Buffer).toString('base64'), end: () => '' }
}

function reason(error: unknown): string {
  return error instanceof AppError ? error.message : `the sandbox stopped answering: ${errorText(error)}`
}
