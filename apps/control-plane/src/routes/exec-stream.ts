// GET /v1/sandboxes/{id}/exec/stream: one command for each WebSocket. The client sends `start`, then perhaps `stop`; the
// agent's messages go out as they are, one at a time, so that a slow client slows the command.
import { AppError, errorText } from '@wrenn/base'
import type { Connection, Contract, PublicApi } from '@wrenn/contract'
import type { StreamedCommand } from '../hosts/guest-agent.ts'
import type { SandboxDeps } from '../services/sandboxes/deps.ts'
import { sandboxRef } from '../services/sandboxes/find.ts'
import { findForStream, stopInSandbox, streamInSandbox } from '../services/sandboxes/stream.ts'
import type { PublicHandlers } from './handlers.ts'

/** What a session needs of its sandbox. */
interface Guest {
  run: (command: StreamedCommand, signal: AbortSignal) => AsyncIterable<Buffer>
  stop: (pid: number) => Promise<void>
}

/** ExecStreamStart of the contract. */
type StartMessage = { type: 'start' } & Pick<StreamedCommand, 'cmd'> & Partial<StreamedCommand>

type Validate = (value: unknown) => string | undefined

const startMs = 10_000

export function execStreamHandlers(
  deps: SandboxDeps & { contract: Contract<PublicApi> },
): Pick<PublicHandlers, 'execStream'> {
  const validate = deps.contract.validator('ExecStreamStart')
  return {
    execStream: async ({ auth, params }) => {
      const row = await findForStream(deps, sandboxRef(auth.teamId, params.id))
      const guest: Guest = {
        run: (command, signal) => streamInSandbox(deps, row, { command, signal }),
        stop: (pid) => stopInSandbox(deps, row, pid),
      }
      return { status: 101, serve: (connection) => new Session(connection, guest).begin(validate) }
    },
  }
}

class Session {
  readonly #connection: Connection
  readonly #guest: Guest
  /** The command's: also when the client takes its time to close. */
  readonly #over = new AbortController()
  #started = false
  #pid: number | undefined
  #stopping = false

  constructor(connection: Connection, guest: Guest) {
    this.#connection = connection
    this.#guest = guest
  }

  begin(validate: Validate): void {
    const late = setTimeout(
      () => this.#refuse(`The first message did not come within ${startMs / 1_000} s`),
      startMs,
    )
    this.#connection.closed.addEventListener('abort', () => {
      clearTimeout(late)
      this.#over.abort()
    })
    this.#connection.onMessage((text) => {
      clearTimeout(late)
      if (this.#over.signal.aborted) return
      const message = parse(text)
      if (this.#started) this.#whileRunning(message)
      else this.#start(message, validate)
    })
  }

  #start(message: unknown, validate: Validate): void {
    if (!isOfType(message, 'start')) {
      this.#refuse('The first message must be JSON with "type": "start" and a "cmd"')
      return
    }
    const problem = validate(message)
    if (problem !== undefined) {
      this.#refuse(problem)
      return
    }
    this.#started = true
    const { type: _start, args = [], encoding = 'utf-8', ...rest } = message as StartMessage
    void this.#run({ ...rest, args, encoding })
  }

  #whileRunning(message: unknown): void {
    if (!isOfType(message, 'stop')) this.#refuse('After start only {"type": "stop"} is understood')
    else if (!this.#stopping) {
      this.#stopping = true
      this.#stopIfKnown()
    }
  }

  async #run(command: StreamedCommand): Promise<void> {
    const { signal } = this.#over
    let last = Buffer.alloc(0)
    try {
      for await (const line of this.#guest.run(command, signal)) {
        if (last.length === 0) this.#learnPid(line)
        last = line as Buffer<ArrayBuffer>
        await this.#connection.send(line)
      }
      this.#connection.close(last.includes('"type":"error"') ? 1011 : 1000)
    } catch (error) {
      if (!signal.aborted) this.#fail(error instanceof AppError ? error.message : errorText(error), 1011)
    }
  }

  #learnPid(line: Buffer): void {
    const { pid } = parse(line.toString()) as { pid?: number }
    this.#pid = pid
    if (this.#stopping) this.#stopIfKnown()
  }

  /** A stop that came before the command had started is made up for then. */
  #stopIfKnown(): void {
    if (this.#pid === undefined) return
    this.#guest.stop(this.#pid).catch((error: unknown) => this.#fail(errorText(error), 1011))
  }

  #refuse(message: string): void {
    this.#fail(message, 1008)
  }

  #fail(message: string, code: 1008 | 1011): void {
    this.#over.abort()
    void this.#connection.send(JSON.stringify({ type: 'error', data: message }))
    this.#connection.close(code)
  }
}

/** Undefined when it is not JSON. */
function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return undefined
  }
}

function isOfType(message: unknown, type: string): message is { type: string } {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === type
}
