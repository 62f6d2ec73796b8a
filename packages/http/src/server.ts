// An HTTP server for one contract: Fastify with our settings, our Error shape in every layer, and the contract's routes.
// The caller listens on it (TCP or unix socket) and closes it.
import { maxHeaderSize, IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { errorText, freeChunk, type AppError, type Logger } from '@wrenn/base'
import type { AnyApi, OperationId } from '@wrenn/contract'
import createFastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { clientErrorHandler, handleOddRequests, requireHost } from './below-fastify.ts'
import { dropBody } from './body.ts'
import { addCors } from './cors.ts'
import { errorAnswer, toAppError } from './error-answer.ts'
import { EventStreams } from './event-streams.ts'
import { contractPlugin, type ContractPluginOptions } from './plugin.ts'
import { newRequestState } from './request-state.ts'
import { addGracefulClose } from './graceful-close.ts'
import { createRouteTable } from './route-table.ts'
import { WebSockets } from './web-sockets.ts'
import { requestId } from './request-id.ts'

export interface FinishedRequest {
  op: string
  /** Undefined when the client went away before its answer. */
  status: number | undefined
  durationMs: number
  /** The header of the answer, or ''. */
  serverTiming: string
}

export interface ServerOptions {
  /** Called when a request has ended, for metrics. */
  onFinished?: (request: FinishedRequest) => void
  /** Origins whose scripts may read answers. Default none. */
  corsOrigins?: readonly string[]
  /** Addresses and CIDR ranges whose X-Forwarded-* headers count. Default none. */
  trustedProxies?: readonly string[]
}

/** Builds the server; it does not listen yet: `await server.listen({ path })` or `{ host, port }`. */
export async function createContractServer<
  Api extends AnyApi,
  Auth = undefined,
  Later extends OperationId<Api> = never,
>(options: ContractPluginOptions<Api, Auth, Later> & ServerOptions): Promise<FastifyInstance> {
  const { logger, translateError = (error: unknown) => error, trustedProxies = [] } = options
  const webSockets = new WebSockets(options.webSocketProtocol)
  const eventStreams = new EventStreams()
  const webSocketPaths = createRouteTable(
    [...options.contract.operations.values()].filter(({ responses }) => responses.has(101)),
  )
  const fastify = createFastify({
    logger: false,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    clientErrorHandler: clientErrorHandler(logger),
    http: {
      requireHostHeader: false,
      // Any other upgrade (h2c) is ignored, as RFC 9110, section 7.8 allows.
      shouldUpgradeCallback: (request) =>
        /^websocket$/i.test(request.headers.upgrade ?? '') &&
        webSocketPaths.methodsOf(request.url ?? '')?.includes(request.method ?? '') === true,
    },
    // Whether an id or name exists is its handler's to say, however long it is. The routes hold no regular expressions.
    routerOptions: { maxParamLength: maxHeaderSize },
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    // Fastify's own 503 while closing has another shape; requests in flight on kept connections are served instead.
    return503OnClosing: false,
    // Errors before routing (a malformed URL) run no hooks.
    frameworkErrors: (error, request, typedReply) => {
      const reply = typedReply as unknown as FastifyReply
      const answer = errorAnswer(toAppError(error), request.id)
      logger.info({ op: 'bad_url', outcome: 'refused', status: answer.status, requestId: request.id })
      reply.code(answer.status).headers({ 'x-request-id': request.id, ...answer.headers })
      void reply.send(answer.body)
    },
  })
  handleOddRequests(fastify.server)
  addGracefulClose(fastify)
  fastify.decorateRequest('wrenn', null as unknown as FastifyRequest['wrenn'])
  fastify.addHook('onRequest', async (request, reply) => {
    const state = newRequestState(reply)
    request.wrenn = state
    reply.header('x-request-id', request.id)
    state.finish = (status) => {
      logRequest(logger, request, status)
      options.onFinished?.({
        op: state.op ?? 'unrouted',
        status,
        durationMs: performance.now() - state.startedAt,
        serverTiming: String(reply.getHeader('server-timing') ?? ''),
      })
    }
    reply.raw.once('close', () => {
      const isAnswered = state.isAnswered || reply.raw.writableFinished
      if (!isAnswered) state.abort.abort()
      state.finish(isAnswered ? reply.statusCode : undefined)
    })
    requireHost(request.raw.httpVersion, request.headers.host)
  })
  fastify.addHook('onSend', async (request, reply, payload: unknown) => {
    // Passed on from another process: nobody else has its chunks.
    if (payload instanceof IncomingMessage) freeWhatIsWritten(reply.raw)
    if (request.wrenn.body === 'raw') return answeredEarly(request, reply, payload)
    if (!(await dropBody(request.raw))) reply.header('connection', 'close')
    return payload
  })
  fastify.addHook('onResponse', async ({ raw, wrenn }) => {
    // It sends and sends: nobody reads it.
    if (wrenn.body === 'raw' && !raw.complete) raw.destroy()
  })
  fastify.setErrorHandler((error, request, reply) => {
    const appError = toAppError(translateError(error), request.wrenn.contentTypes)
    request.wrenn.error = appError
    const answer = errorAnswer(appError, request.id)
    return reply.code(answer.status).headers(answer.headers).send(answer.body)
  })
  addCors(fastify, options.corsOrigins ?? [])
  fastify.addHook('preClose', async () => {
    webSockets.close()
    eventStreams.close()
  })
  contractPlugin(fastify, options, { webSockets, eventStreams })
  await fastify.ready()
  webSockets.listen(fastify.server, (request, response) => fastify.routing(request, response))
  return fastify
}

/** Fastify pipes a stream into the response, and a pipe does not tell when a chunk is written. */
function freeWhatIsWritten(response: ServerResponse): void {
  const write = response.write.bind(response)
  response.write = (chunk: Buffer) =>
    write(chunk, (error) => {
      if (!error) freeChunk(chunk)
    })
}

/** One line for each request. `status` is undefined when the client went away before its answer. */
function logRequest(logger: Logger, request: FastifyRequest, status: number | undefined): void {
  const { op, fields, error, startedAt } = request.wrenn
  const line = {
    op: op ?? 'unrouted',
    outcome: outcome(status, error),
    ...(status === undefined ? {} : { status }),
    requestId: request.id,
    ...fields,
    durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
    ...(error ? { code: error.code, reason: errorText(error) } : {}),
  }
  if (error?.code === 'internal_error') logger.error({ ...line, stack: stackOf(error) })
  else logger.info(line)
}

function outcome(status: number | undefined, error: AppError | undefined): string {
  if (status === undefined) return error ? 'broken_off' : 'client_gone'
  if (!error) return 'ok'
  return status >= 500 ? 'failed' : 'refused'
}

function stackOf(error: AppError): string | undefined {
  return error.cause instanceof Error ? error.cause.stack : error.stack
}

/**
 * A long upload is answered at once, and for a while longer listened to: a client that is still sending when the connection
 * goes may never see its answer. The answer is whole for the client; for Node, which would close the connection, it ends
 * only then.
 */
function answeredEarly({ raw, wrenn }: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  if (raw.complete || typeof payload !== 'string') return payload
  reply.header('content-length', Buffer.byteLength(payload))
  return Readable.from(
    (async function* () {
      yield payload
      wrenn.isAnswered = true
      await dropBody(raw, Infinity)
    })(),
    { objectMode: false },
  )
}
