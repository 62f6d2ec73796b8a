// Types of requests, answers and handlers, mapped from the generated files. A handler that is missing, or that answers
// with what the contract does not name, does not compile.
import type { Readable } from 'node:stream'
import type * as hostAgent from './generated/host-agent.ts'
import type * as publicApi from './generated/public.ts'

/** What a generated file gives: the operations, and which security schemes each accepts (`never`: open to all). */
export interface AnyApi {
  operations: object
  security: object
}

export interface PublicApi {
  operations: publicApi.operations
  security: publicApi.security
}

export interface HostAgentApi {
  operations: hostAgent.operations
  security: hostAgent.security
}

/** Schemas of components/schemas by name. */
export type PublicSchemas = publicApi.components['schemas']
export type HostAgentSchemas = hostAgent.components['schemas']

export type OperationId<Api extends AnyApi> = keyof Api['operations'] & string

type Present<T> = [T] extends [undefined] ? object : NonNullable<T>

export type Params<Operation> = Operation extends { parameters: { path?: infer P } } ? Present<P> : never
/** Header parameters, named as in the contract. */
export type HeaderParams<Operation> = Operation extends { parameters: { header?: infer P } }
  ? Present<P>
  : never
export type CookieParams<Operation> = Operation extends { parameters: { cookie?: infer C } }
  ? Present<C>
  : never
export type Query<Operation> = Operation extends { parameters: { query?: infer Q } } ? Present<Q> : never

/** A body that is not JSON, as it comes: whoever gets it reads what it wants of it, and destroys nothing. */
export interface RawBody {
  contentType: string
  /** Undefined when it comes in chunks. */
  sizeBytes?: number | undefined
  stream: Readable
}

/** The JSON body, defaults filled in; a RawBody where the contract names other content types. */
export type Body<Operation> = Operation extends { requestBody: { content: infer Content } }
  ? Content extends { 'application/json': infer B }
    ? B
    : RawBody
  : undefined

/** Header names in lower case. */
export type AnswerHeaders = Record<string, string>

/** One event of a `text/event-stream`. */
export interface ServerEvent {
  event: string
  /** The contract has one line of JSON in each. */
  data: string
}

/** A stream of events is given as an iterable, which must end by the call's `signal`. */
type RawAnswerBody<Type> = Type extends 'text/event-stream'
  ? AsyncIterable<ServerEvent>
  : string | Uint8Array | Readable

type AnswerWith<Status, Content> = {
  [Type in keyof Content]: Type extends 'application/json'
    ? Content[Type] extends { error: unknown }
      ? never
      : { status: Status; body: Content[Type]; headers?: AnswerHeaders }
    : { status: Status; contentType: Type; body: RawAnswerBody<Type>; headers?: AnswerHeaders }
}[keyof Content]

/** An accepted WebSocket. */
export interface Connection {
  /** Aborted when it is closed, by either side. */
  closed: AbortSignal
  /**
   * Calls back with each message's text; undefined for one that is no text. A promise holds back the messages that have
   * not been read yet, and with them all that the peer says, its leaving too: it must settle soon.
   */
  onMessage: (listener: (text: string | undefined) => void | Promise<void>) => void
  /** Sends text. Settles when the peer can take more: whoever waits for it holds back what comes next. */
  send: (text: string | Uint8Array) => Promise<void>
  /** Codes of RFC 6455, section 7.4.1. */
  close: (code: 1000 | 1008 | 1011) => void
}

/** The answer to a WebSocket's upgrade: everything that could refuse it has been looked at. */
interface Upgrade {
  status: 101
  /** Must not throw. */
  serve: (connection: Connection) => void
}

/** Every answer that the contract allows, but for errors: those are thrown as AppErrors. */
export type Answer<Operation> = Operation extends { responses: infer Responses }
  ? {
      [Status in keyof Responses]: Status extends 101
        ? Upgrade
        : Responses[Status] extends { content: infer Content }
          ? AnswerWith<Status, Content>
          : { status: Status; headers?: AnswerHeaders }
    }[keyof Responses]
  : never

/** The body of the JSON answers with a status of 2xx; undefined where there is none. */
export type Result<Operation> = Operation extends { responses: infer Responses }
  ? {
      [Status in keyof Responses & (200 | 201 | 202 | 204)]: Responses[Status] extends {
        content: { 'application/json': infer B }
      }
        ? B
        : undefined
    }[keyof Responses & (200 | 201 | 202 | 204)]
  : never

/** What a handler gets. `auth` is what the app's authenticate function returned, where the operation asks for it. */
export interface Call<Api extends AnyApi, Id extends OperationId<Api>, Auth> {
  params: Params<Api['operations'][Id]>
  query: Query<Api['operations'][Id]>
  body: Body<Api['operations'][Id]>
  auth: Id extends keyof Api['security']
    ? [Api['security'][Id]] extends [never]
      ? undefined
      : Auth
    : undefined
  /** Fields that the JSON body had when it came: the others have their defaults. */
  given: ReadonlySet<string>
  requestId: string
  /** Aborted when the client goes away before it has its answer, and when a stream of events ends. */
  signal: AbortSignal
  /** Adds fields (ids) to the request's log line. No secrets. */
  note: (fields: Record<string, string | number>) => void
  headers: HeaderParams<Api['operations'][Id]>
  cookies: CookieParams<Api['operations'][Id]>
  /** Of the client, as far as trusted proxies tell it; empty on a unix socket. */
  address: string
  /** Adds to a header of the answer, whatever it will be; a value that is there stays, before a comma. */
  appendHeader: (name: string, value: string) => void
}

/** One function for each operation of the contract, except those in `Later`. */
export type Handlers<Api extends AnyApi, Auth = undefined, Later extends OperationId<Api> = never> = {
  [Id in Exclude<OperationId<Api>, Later>]: (
    call: Call<Api, Id, Auth>,
  ) => Promise<Answer<Api['operations'][Id]>>
}
