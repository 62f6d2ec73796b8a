// GET /v1/sandboxes/{id}/exec/stream: one command for each WebSocket. The client sends `start`, then perhaps `stop`.
import { AppError } from '@wrenn/base'
import type { Connection, Contract, PublicApi } from '@wrenn/contract'
import type { StreamedCommand } from '../hosts/guest-agent.ts'
import type { SandboxDeps } from '../services/sandboxes/deps.ts'
import { sandboxRef } from '../services/sandboxes/find.ts'
import { findForStream, stopInSandbox, streamInSandbox } from '../services/sandboxes/stream.ts'
import type { PublicHandlers } from './handlers.ts'
import { isOfType, ProcessSession, type Validate } from './process-session.ts'

/** What a session needs of its sandbox. */
interface Guest {
  run: (command: StreamedCommand, signal: AbortSignal) => AsyncIterable<Buffer>
  stop: (pid: number) => Promise<void>
}

/** ExecStreamStart of the contract. */
type StartMessage = { type: 'start' } & Pick<StreamedCommand, 'cmd'> & Partial<StreamedCommand>

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
      return { status: 101, serve: (connection) => new CommandSession(connection, guest, validate).begin() }
    },
  }
}

class CommandSession extends ProcessSession {
  readonly #guest: Guest
  readonly #validate: Validate

  constructor(connection: Connection, guest: Guest, validate: Validate) {
    super(connection)
    this.#guest = guest
    this.#validate = validate
  }

  protected open(message: unknown): AsyncIterable<Buffer> {
    if (!isOfType(message, 'start'))
      throw new AppError('invalid_request', 'The first message must be JSON with "type": "start" and a "cmd"')
    const problem = this.#validate(message)
    if (problem !== undefined) throw new AppError('invalid_request', problem)
    const { type: _start, args = [], encoding = 'utf-8', ...rest } = message as StartMessage
    return this.#guest.run({ ...rest, args, encoding }, this.signal)
  }

  protected take(message: unknown): void {
    if (!isOfType(message, 'stop'))
      throw new AppError('invalid_request', 'After start only {"type": "stop"} is understood')
    this.stop()
  }

  protected stopProcess(pid: number): Promise<void> {
    return this.#guest.stop(pid)
  }
}
