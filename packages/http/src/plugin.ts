// A contract and its handlers as Fastify routes. For each request, in this order: authentication (before the body is
// read), the body, validation of all of it, the handler, one log line. Used by the control plane and the host agent.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { AppError, type Logger } from '@wrenn/base'
import type {
  AnyApi,
  Call,
  Connection,
  Contract,
  Handlers,
  Operation,
  OperationId,
  ServerEvent,
} from '@wrenn/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { rawBody, readJsonBody } from './body.ts'
import { cookieParameters } from './cookies.ts'
import { toAppError } from './error-answer.ts'
import { eventStreamHeaders, type EventStreams } from './event-streams.ts'
import { asRequest } from './handler-context.ts'
import type { RequestState } from './request-state.ts'
import type { WebSockets } from './web-sockets.ts'
import { createRouteTable, type RouteTable } from './route-table.ts'
import { answerFromSite, type Site } from './site.ts'

/** What an authenticate function may look at. */
export interface AuthRequest {
  /** Names of the contract's security schemes, any one of which is enough. */
  schemes: readonly string[]
  headers: Record<string, string | string[] | undefined>
  /** Adds to a header of the answer, whatever it will be; a value that is there stays, before a comma. */
  appendHeader: (name: string, value: string) => void
  /** Adds ids to the log line. */
  note: (fields: Record<string, string | number>) => void
}

export interface ContractPluginOptions<
  Api extends AnyApi,
  Auth = undefined,
  Later extends OperationId<Api> = never,
> {
  contract: Contract<Api>
  handlers: Handlers<Api, Auth, Later>
  /** Operations that stand in the contract and are not served: they answer 404, and no handler is demanded. */
  laterOperations?: readonly Later[]
  /** Throws an AppError `unauthorized`, or returns the context that handlers get as `auth`. */
  authenticate?: (request: AuthRequest) => Promise<Auth>
  /** Turns errors of the app's own layers (a lost database) into AppErrors; returns what it does not know. */
  translateError?: (error: unknown) => unknown
  /** Agreed to with WebSocket clients that offer it. */
  webSocketProtocol?: string
  /** Files for browsers, at paths that the contract does not have. Default none. */
  site?: Site | undefined
  logger: Logger
}

/** More of a path parameter is in no log line. */
const loggedParamLength = 100

/** Any handler, seen from the generic side: each call below is built as its operation's contract says. */
type AnyHandler = (call: unknown) => Promise<{
  status: number
  contentType?: string
  body?: unknown
  headers?: Record<string, string>
  serve?: (connection: Connection) => void
}>

/** The answers that last. */
export interface Streams {
  webSockets: WebSockets
  eventStreams: EventStreams
}

export function contractPlugin<Api extends AnyApi, Auth, Later extends OperationId<Api>>(
  fastify: FastifyInstance,
  options: ContractPluginOptions<Api, Auth, Later>,
  streams: Streams,
): void {
  const handlers = options.handlers as Record<string, AnyHandler | undefined>
  const later: readonly string[] = options.laterOperations ?? []
  const served = [...options.contract.operations.values()].filter(({ id }) => !later.includes(id))
  const routes = createRouteTable(served)
  fastify.removeAllContentTypeParsers()
  // Where no JSON is expected, whatever is sent is not read here; what stays unread is dropped with the answer.
  fastify.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) =>
    request.wrenn.body === 'json' ? readJsonBody(payload, request.headers['content-type']) : undefined,
  )
  for (const operation of served) {
    const handler = handlers[operation.id]
    if (!handler) throw new Error(`contract: ${operation.id} has no handler`)
    addRoute(fastify, {
      operation,
      handler: asRequest(handler),
      authenticate: options.authenticate,
      streams,
    })
  }
  // In onRequest, so that the body of a request that goes nowhere is not parsed.
  fastify.addHook('onRequest', async (request, reply) => {
    return request.is404 ? answerUnrouted(routes, options.site, request, reply) : undefined
  })
}

/** OPTIONS answers with the path's methods; another wrong method is a 405, and a path that nobody has a 404. */
function answerUnrouted(
  routes: RouteTable,
  site: Site | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const methods = routes.methodsOf(request.url)
  const answered = methods === undefined && site ? answerFromSite(site, request, reply) : undefined
  if (answered) return answered
  const path = pathOf(request.url)
  const allow = (methods ?? site?.methodsOf(path))?.join(', ')
  if (allow === undefined) {
    const why = site?.whyAbsent(path) ?? `There is no ${request.method} ${path}`
    throw new AppError('not_found', why)
  }
  reply.header('allow', allow)
  if (request.method === 'OPTIONS') return reply.code(204).send()
  throw new AppError('method_not_allowed', `${request.method} is not allowed here; allowed: ${allow}`)
}

type Authenticate = (request: AuthRequest) => Promise<unknown>

function addRoute(
  fastify: FastifyInstance,
  route: {
    operation: Operation
    handler: AnyHandler
    authenticate: Authenticate | undefined
    streams: Streams
  },
): void {
  const { operation, handler, authenticate, streams } = route
  const schemes = operation.securitySchemes
  if (schemes.length > 0 && !authenticate)
    throw new Error(`contract: ${operation.id} needs an authenticate function`)
  fastify.route({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    onRequest: async (request) => {
      const state = request.wrenn
      state.op = operation.id
      state.body = bodyKind(operation)
      state.contentTypes = Object.keys(operation.body?.content ?? {})
      if (schemes.length === 0 || !authenticate) return
      const { appendHeader } = state
      state.auth = await authenticate({
        schemes,
        headers: request.headers,
        appendHeader,
        note: noteInto(state),
      })
    },
    handler: async (request, reply) => {
      const answer = await handler(validatedCall(operation, request))
      if (answer.serve) {
        streams.webSockets.accept(request, reply, answer.serve)
        return reply
      }
      if (answer.contentType === 'text/event-stream') {
        const { abort } = request.wrenn
        const events = answer.body as AsyncIterable<ServerEvent>
        answer.headers = { ...eventStreamHeaders, ...answer.headers }
        answer.body = streams.eventStreams.begin(events, { abort, response: reply.raw })
      }
      // A stream that fails half-way breaks the connection; only the log line can say why.
      if (answer.body instanceof Readable)
        answer.body.once('error', (error) => (request.wrenn.error ??= toAppError(error)))
      return send(reply, answer)
    },
  })
}

/** The call as its handler gets it, or an AppError that names the field that is wrong. */
function validatedCall(operation: Operation, request: FastifyRequest): Call<AnyApi, never, unknown> {
  const state = request.wrenn
  const params = request.params as Record<string, string>
  const query = { ...(request.query as object) }
  // Path parameters are ids and names: worth a place in the log even when they are wrong.
  for (const [name, value] of Object.entries(params)) state.fields[name] = value.slice(0, loggedParamLength)
  const { validate, body } = operation
  const headers = headerParameters(operation, request)
  const cookies = cookieParameters(operation, request.headers.cookie)
  refuse(validate.headers(headers))
  refuse(validate.cookies(cookies))
  refuse(validate.params(params))
  refuse(validate.query(query))
  const raw = state.body === 'raw' ? rawBody(request.raw, Object.keys(body?.content ?? {})) : undefined
  if (state.body === 'json' && body?.required && request.body === undefined)
    throw new AppError('invalid_request', 'A JSON body is required')
  // Before validation, which fills in defaults.
  const given = new Set(isObject(request.body) ? Object.keys(request.body) : [])
  if (request.body !== undefined) refuse(validate.body?.(request.body))
  return {
    params,
    query,
    body: body ? (raw ?? request.body) : undefined,
    given,
    auth: state.auth,
    requestId: request.id,
    signal: state.abort.signal,
    note: noteInto(state),
    address: request.ip ?? '',
    headers,
    cookies,
    appendHeader: state.appendHeader,
  } as unknown as Call<AnyApi, never, unknown>
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function bodyKind({ body }: Operation): RequestState['body'] {
  if (!body) return 'none'
  return 'application/json' in body.content ? 'json' : 'raw'
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new AppError('invalid_request', problem)
}

function send(reply: FastifyReply, answer: Awaited<ReturnType<AnyHandler>>): FastifyReply {
  reply.code(answer.status)
  if (answer.headers) reply.headers(answer.headers)
  if (answer.contentType !== undefined) return reply.type(answer.contentType).send(answer.body)
  if (answer.body === undefined) return reply.send()
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.body))
}

/** Named as in the contract. One that is given twice is joined by Node: `a, b`. */
function headerParameters({ parameters }: Operation, { headers }: FastifyRequest): Record<string, unknown> {
  const given = parameters
    .filter(({ in: place, name }) => place === 'header' && headers[name.toLowerCase()] !== undefined)
    .map(({ name }) => [name, headers[name.toLowerCase()]])
  return Object.fromEntries(given) as Record<string, unknown>
}

function noteInto(state: RequestState): (fields: Record<string, string | number>) => void {
  return (fields) => {
    Object.assign(state.fields, fields)
  }
}

function pathOf(url: string): string {
  return url.split('?')[0]?.slice(0, 200) ?? ''
}
