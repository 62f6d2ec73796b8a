// GET /v1/sandboxes/{id}/pty: one terminal for each WebSocket, which outlives it. The client sends `start` or `attach`,
// then `input`, `resize` and `stop`. Input goes on in order; what the terminal does not take holds back the client.
import { PassThrough } from 'node:stream'
import { AppError, KIB } from '@wrenn/base'
import type { Connection, Contract, PublicApi, PublicSchemas } from '@wrenn/contract'
import type { TerminalCommand, TerminalSize } from '../hosts/guest-agent.ts'
import type { SandboxDeps } from '../services/sandboxes/deps.ts'
import { sandboxRef } from '../services/sandboxes/find.ts'
import { findForTerminal, Terminals } from '../services/sandboxes/terminals.ts'
import type { PublicHandlers } from './handlers.ts'
import { isOfType, ProcessSession, type Validate } from './process-session.ts'

interface Validators {
  start: Validate
  attach: Validate
  message: Validate
}

type First =
  | ({ type: 'start' } & TerminalSize & Partial<TerminalCommand>)
  | ({ type: 'attach'; pid: number } & TerminalSize)

/** What may wait for a terminal that takes nothing, twice: written and not yet sent on. */
const waitingBytes = 64 * KIB
/** Shorter than a connection lives whose client cannot be heard. */
const stuckMs = 60_000

export function ptyHandlers(
  deps: SandboxDeps & { contract: Contract<PublicApi> },
): Pick<PublicHandlers, 'openPty'> {
  const validators = {
    start: deps.contract.validator('PtyStart'),
    attach: deps.contract.validator('PtyAttach'),
    message: deps.contract.validator('PtyMessage'),
  }
  return {
    openPty: async ({ auth, params }) => {
      const row = await findForTerminal(deps, sandboxRef(auth.teamId, params.id))
      const terminals = new Terminals(deps, row)
      return {
        status: 101,
        serve: (connection) => new TerminalSession(connection, terminals, validators).begin(),
      }
    },
  }
}

class TerminalSession extends ProcessSession {
  readonly #terminals: Terminals
  readonly #validators: Validators
  readonly #input = new PassThrough({ highWaterMark: waitingBytes })
  #pid: number | undefined
  /** That the terminal should have, while it is being told. */
  #size: TerminalSize | undefined
  #resizing = false

  constructor(connection: Connection, terminals: Terminals, validators: Validators) {
    super(connection)
    this.#terminals = terminals
    this.#validators = validators
    this.signal.addEventListener('abort', () => this.#input.destroy())
  }

  protected open(message: unknown): AsyncIterable<Buffer> {
    if (!isOfType(message, 'start', 'attach'))
      throw new AppError('invalid_request', 'The first message must be JSON with "type": "start" or "attach"')
    refuse(this.#validators[message.type](message))
    const { signal } = this
    const { cols, rows, ...first } = message as First
    const follower = { size: { cols, rows }, signal }
    if (first.type === 'attach') return this.#terminals.attach(first.pid, follower)
    const { type: _start, args = [], ...command } = first
    return this.#terminals.start({ ...command, args }, follower)
  }

  protected take(message: unknown): void | Promise<void> {
    if (!isOfType(message, 'input', 'resize', 'stop'))
      throw new AppError(
        'invalid_request',
        'After the first only "input", "resize" and "stop" are understood',
      )
    refuse(this.#validators.message(message))
    const { data, cols, rows } = message as PublicSchemas['PtyMessage']
    if (message.type === 'stop') return this.stop()
    if (message.type === 'input') {
      if (data === undefined) throw new AppError('invalid_request', 'data: is missing')
      return this.#type(data)
    }
    if (cols === undefined || rows === undefined)
      throw new AppError('invalid_request', 'cols, rows: a resize needs both')
    this.#size = { cols, rows }
    return void this.#resize()
  }

  protected override started(pid: number): void {
    this.#pid = pid
    const { signal } = this
    this.#terminals.feed(pid, { input: this.#input, signal }).catch((error: unknown) => {
      // Its exit comes in its output.
      if (error instanceof AppError && error.code === 'not_found') this.#input.destroy()
      else if (!signal.aborted) this.fail(error)
    })
    void this.#resize()
  }

  protected override errorMessage(error: AppError) {
    return { ...super.errorMessage(error), code: error.code }
  }

  /** Also a terminal that is not there. */
  protected override isClientsFault(error: AppError): boolean {
    return super.isClientsFault(error) || error.code === 'not_found'
  }

  protected stopProcess(pid: number): Promise<void> {
    return this.#terminals.stop(pid)
  }

  /** The promise is there when the terminal must take some first. */
  #type(data: string): void | Promise<void> {
    if (this.#input.destroyed || this.#input.write(data)) return undefined
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(stuck)
        this.#input.off('drain', done).off('close', done)
        resolve()
      }
      const stuck = setTimeout(() => {
        const text = `The terminal has taken none of the input for ${stuckMs / 1_000} s`
        this.fail(new AppError('invalid_request', text))
      }, stuckMs)
      this.#input.once('drain', done).once('close', done)
    })
  }

  /** One at a time, and then the last that was asked for. */
  async #resize(): Promise<void> {
    if (this.#pid === undefined || this.#resizing) return
    this.#resizing = true
    try {
      for (let size = this.#size; size && !this.signal.aborted; size = this.#size) {
        this.#size = undefined
        await this.#terminals.resize(this.#pid, size)
      }
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'not_found')) this.fail(error)
    } finally {
      this.#resizing = false
    }
  }
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new AppError('invalid_request', problem)
}
