// One process behind one WebSocket: exec/stream's commands and pty's terminals. The client's first message says which;
// the agent's messages go out as they are, one at a time, so that a slow client slows the process. What they have in
// common is here; each kind says what its messages mean.
import { AppError, errorText, type ErrorCode } from '@wrenn/base'
import type { Connection } from '@wrenn/contract'

/** What is wrong with a message; undefined when nothing is. */
export type Validate = (value: unknown) => string | undefined

const startMs = 10_000
export abstract class ProcessSession {
  /** The session's: also when the client takes its time to close. */
  readonly #over = new AbortController()
  readonly #connection: Connection
  #begun = false
  #pid: number | undefined
  #stopping = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Aborted when the session has ended, whoever ended it. */
  protected get signal(): AbortSignal {
    return this.#over.signal
  }

  /** What the process says, when this first message asks for one. Throws `invalid_request`. */
  protected abstract open(message: unknown): AsyncIterable<Buffer>
  /** A later message. Throws `invalid_request`; a promise holds back what comes next. */
  protected abstract take(message: unknown): void | Promise<void>
  protected abstract stopProcess(pid: number): Promise<void>

  /** The process runs. */
  protected started(_pid: number): void {}

  protected errorMessage({ message }: AppError): { type: 'error'; data: string; code?: ErrorCode } {
    return { type: 'error', data: message }
  }

  /** Whether what was asked for was wrong, and not the machine. */
  protected isClientsFault({ code }: AppError): boolean {
    return code === 'invalid_request'
  }

  begin(): void {
    const late = setTimeout(
      () =>
        this.fail(
          new AppError('invalid_request', `The first message did not come within ${startMs / 1_000} s`),
        ),
      startMs,
    )
    this.#connection.closed.addEventListener('abort', () => {
      clearTimeout(late)
      this.#over.abort()
    })
    this.#connection.onMessage((text) => {
      clearTimeout(late)
      if (this.signal.aborted) return undefined
      try {
        const message = parse(text)
        if (this.#begun) return this.take(message)
        const lines = this.open(message)
        this.#begun = true
        void this.#pass(lines)
      } catch (error) {
        this.fail(error)
      }
      return undefined
    })
  }

  /** Asks the process to end. One that has not started yet is asked then. */
  protected stop(): void {
    if (this.#stopping) return
    this.#stopping = true
    this.#stopIfKnown()
  }

  /** Tells the client what is wrong, and ends the session. */
  protected fail(error: unknown): void {
    if (this.signal.aborted) return
    this.#over.abort()
    const known =
      error instanceof AppError ? error : new AppError('internal_error', errorText(error), { cause: error })
    void this.#connection.send(JSON.stringify(this.errorMessage(known)))
    this.#connection.close(this.isClientsFault(known) ? 1008 : 1011)
  }

  async #pass(lines: AsyncIterable<Buffer>): Promise<void> {
    let last: Buffer | undefined
    try {
      for await (const line of lines) {
        if (last === undefined) this.#learnPid(line)
        last = line
        await this.#connection.send(line)
      }
      this.#over.abort()
      this.#connection.close(last?.includes('"type":"error"') ? 1011 : 1000)
    } catch (error) {
      if (!this.signal.aborted) this.fail(error)
    }
  }

  #learnPid(line: Buffer): void {
    const { pid } = parse(line.toString()) as { pid?: number }
    if (pid === undefined) return
    this.#pid = pid
    this.started(pid)
    if (this.#stopping) this.#stopIfKnown()
  }

  #stopIfKnown(): void {
    if (this.#pid === undefined) return
    this.stopProcess(this.#pid).catch((error: unknown) => this.fail(error))
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

export function isOfType<Type extends string>(message: unknown, ...types: Type[]): message is { type: Type } {
  if (typeof message !== 'object' || message === null || !('type' in message)) return false
  return (types as unknown[]).includes(message.type)
}
