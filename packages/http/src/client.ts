// A client for a contract over HTTP/1.1, on a unix socket or TCP, with kept connections. It sets no time limits of its
// own, since the work may take an hour: the caller's signal does. Errors come back as the AppErrors that were thrown.
import { Agent, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { AppError, currentRequest, isErrno, isErrorCode } from '@wrenn/base'
import type {
  AnyApi,
  Body,
  Contract,
  Operation,
  OperationId,
  Params,
  Query,
  RawBody,
  Result,
} from '@wrenn/contract'
import { send } from './send.ts'

export interface ClientOptions<Api extends AnyApi> {
  contract: Contract<Api>
  /** How messages name the other side: "the host agent". */
  peer: string
  target: { socketPath: string } | { host: string; port: number }
}

/** What an operation takes; parts that it does not have may be left out. */
export type Input<Operation> = Part<'params', Params<Operation>> &
  Part<'body', Body<Operation>> & {
    query?: Query<Operation>
    headers?: Record<string, string>
    signal?: AbortSignal
  }

type Part<Name extends string, Value> = [Value] extends [undefined]
  ? { [N in Name]?: undefined }
  : [keyof Value] extends [never]
    ? { [N in Name]?: undefined }
    : { [N in Name]: Value }

interface AnyInput {
  params?: Record<string, string> | undefined
  query?: Record<string, string> | undefined
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

export class ContractClient<Api extends AnyApi> {
  readonly #options: ClientOptions<Api>
  readonly #agent = new Agent({ keepAlive: true })

  constructor(options: ClientOptions<Api>) {
    this.#options = options
  }

  /**
   * Calls a JSON operation and returns the body of its answer. Throws the peer's AppError; `unavailable` when the peer
   * cannot be reached, `agent_error` when it breaks off or answers with something else than its contract; the signal's
   * reason when that aborts.
   */
  async call<Id extends OperationId<Api>>(
    id: Id,
    input: Input<Api['operations'][Id]>,
  ): Promise<Result<Api['operations'][Id]>> {
    const answer = await this.stream(id, input)
    const body = await this.#readJson(answer, input.signal)
    return body as Result<Api['operations'][Id]>
  }

  /** As `call`, but hands over the answer's body as it comes. The caller must read or destroy it. */
  async stream<Id extends OperationId<Api>>(
    id: Id,
    input: Input<Api['operations'][Id]>,
  ): Promise<IncomingMessage> {
    const operation = this.#options.contract.operations.get(id)
    if (!operation) throw new Error(`the contract has no operation ${id}`)
    const answer = await this.#send(operation, input)
    noteTimings(answer)
    if ((answer.statusCode ?? 500) < 400) return answer
    throw this.#errorFrom(await this.#readJson(answer, input.signal), answer.statusCode)
  }

  /** Closes kept connections. */
  close(): void {
    this.#agent.destroy()
  }

  async #send(operation: Operation, { body, ...input }: AnyInput): Promise<IncomingMessage> {
    const raw = isRaw(body) ? body : undefined
    const contentType = raw?.contentType ?? (body === undefined ? undefined : 'application/json')
    const outgoing = {
      target: this.#options.target,
      method: operation.method,
      path: pathWith(operation.path, input),
      headers: {
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...contextHeaders(),
        ...input.headers,
      },
      body: raw?.stream ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal: input.signal,
    }
    try {
      return await send(outgoing, this.#agent)
    } catch (error) {
      throw this.#transportError(error, input.signal)
    }
  }

  async #readJson(answer: IncomingMessage, signal: AbortSignal | undefined): Promise<unknown> {
    let text: string
    try {
      text = (await buffer(answer)).toString()
    } catch (error) {
      throw this.#transportError(error, signal)
    }
    if (text === '') return undefined
    try {
      return JSON.parse(text) as unknown
    } catch (error) {
      throw new AppError('agent_error', `${this.#options.peer} answered with something that is not JSON`, {
        cause: error,
      })
    }
  }

  #transportError(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason
    // Of the body that we send: whoever makes it says what is wrong.
    if (error instanceof AppError) return error
    const { peer } = this.#options
    if (isErrno(error, 'ECONNREFUSED', 'ENOENT', 'EACCES', 'EAGAIN')) {
      return new AppError('unavailable', `${peer} cannot be reached`, { cause: error, retryAfterSec: 2 })
    }
    return new AppError('agent_error', `${peer} broke off the connection`, { cause: error })
  }

  #errorFrom(body: unknown, status: number | undefined): AppError {
    const { code, message } =
      (body as { error?: { code?: unknown; message?: unknown } } | undefined)?.error ?? {}
    if (isErrorCode(code) && typeof message === 'string') return new AppError(code, message)
    return new AppError('agent_error', `${this.#options.peer} answered with status ${status}`)
  }
}

/** The request that this call is part of goes by the same id there. */
function contextHeaders(): Record<string, string> {
  const request = currentRequest()
  return request ? { 'x-request-id': request.requestId } : {}
}

/** What the peer spent is part of what this request takes. */
function noteTimings({ headers }: IncomingMessage): void {
  const timing = headers['server-timing']
  if (typeof timing === 'string') currentRequest()?.timings.push(timing)
}

function isRaw(body: unknown): body is RawBody {
  return typeof body === 'object' && body !== null && 'stream' in body && 'contentType' in body
}

function pathWith(path: string, input: AnyInput): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_match, name: string) =>
    encodeURIComponent(input.params?.[name] ?? ''),
  )
  const query = new URLSearchParams(input.query).toString()
  return query === '' ? filled : `${filled}?${query}`
}
