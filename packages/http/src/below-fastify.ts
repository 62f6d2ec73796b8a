// Answers to what never becomes a request: bytes that are not HTTP, headers that are too long, CONNECT. Without this
// Node answers with no body, or closes without a word.
import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError, type Logger } from '@wrenn/base'
import { requestId } from './request-id.ts'
import { errorBody, type ErrorBody } from './status.ts'

interface RawAnswer {
  status: string
  body: ErrorBody
  headers?: string[]
}

export function clientErrorHandler(
  logger: Logger,
): (error: Error & { code?: string }, socket: Duplex) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const answer = rawAnswer(error.code)
    const id = writeAnswer(socket, answer)
    logger.info({ op: 'bad_http', outcome: 'refused', requestId: id, reason: error.code ?? error.message })
  }
}

/** `Expect` other than 100-continue is ignored (RFC 9110, section 10.1.1 allows it); CONNECT is refused. */
export function handleOddRequests(server: Server): void {
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
  server.on('connect', (_request, socket) => {
    const body = errorBody('method_not_allowed', 'CONNECT is not served here')
    writeAnswer(socket, { status: '405 Method Not Allowed', body, headers: ['allow: GET, POST, DELETE'] })
  })
}

/** Node takes a request without Host when told so, for us to refuse it in the Error shape (RFC 9112, section 3.2). */
export function requireHost(httpVersion: string, host: string | undefined): void {
  if (httpVersion === '1.1' && host === undefined) {
    throw new AppError('invalid_request', 'The Host header is missing')
  }
}

function rawAnswer(code: string | undefined): RawAnswer {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const body = errorBody('invalid_request', 'The request headers are too large')
    return { status: '431 Request Header Fields Too Large', body }
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return {
      status: '408 Request Timeout',
      body: errorBody('invalid_request', 'The request did not arrive in time'),
    }
  }
  return { status: '400 Bad Request', body: errorBody('invalid_request', 'This is not a valid HTTP request') }
}

export function writeAnswer(socket: Duplex, answer: RawAnswer): string {
  const id = requestId(undefined)
  const body = JSON.stringify(answer.body)
  const headers = [
    `HTTP/1.1 ${answer.status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    'connection: close',
    ...(answer.headers ?? []),
  ]
  socket.on('error', () => socket.destroy())
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`)
  return id
}
