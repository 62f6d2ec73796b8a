// WebSocket operations: those of a contract that answer 101. An upgrade goes through the same routes as every request, so
// that its refusals are plain answers in the Error shape; only what its handler accepts becomes a WebSocket.
import { ServerResponse, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError } from '@wrenn/base'
import type { Connection } from '@wrenn/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { WebSocketServer, type WebSocket } from 'ws'
import { writeAnswer } from './below-fastify.ts'
import { errorBody } from './status.ts'

const maxMessageBytes = 1024 * 1024
const pingMs = 20_000
/** A peer that answers none of so many pings is gone. */
const lostPings = 3
const closeMs = 1_000

export class WebSockets {
  readonly #upgrades = new WeakMap<IncomingMessage, { socket: Duplex; head: Buffer }>()
  readonly #server: WebSocketServer
  #isClosing = false

  /** `subprotocol` is agreed to when the client offers it; others are ignored. */
  constructor(subprotocol: string | undefined) {
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: maxMessageBytes,
      handleProtocols: (offered) =>
        subprotocol !== undefined && offered.has(subprotocol) ? subprotocol : false,
    })
    // A handshake that is not right: Sec-WebSocket-Key, -Version.
    this.#server.on('wsClientError', (error, socket) => {
      const body = errorBody('invalid_request', `This is not a valid WebSocket handshake: ${error.message}`)
      writeAnswer(socket, { status: '400 Bad Request', body })
    })
  }

  /** Sends upgrades through `route`, which answers them as it answers requests. */
  listen(server: Server, route: (request: IncomingMessage, response: ServerResponse) => void): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy())
      this.#upgrades.set(request, { socket, head })
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
      response.once('finish', () => socket.end())
      route(request, response)
    })
  }

  /** Completes the handshake and hands the connection over. Throws `upgrade_required` when there is no upgrade. */
  accept(request: FastifyRequest, reply: FastifyReply, serve: (connection: Connection) => void): void {
    const upgrade = this.#upgrades.get(request.raw)
    if (!upgrade)
      throw new AppError('upgrade_required', 'This is a WebSocket: connect with Upgrade: websocket')
    if (this.#isClosing)
      throw new AppError('unavailable', 'The server is going away; try again', { retryAfterSec: 1 })
    const { socket, head } = upgrade
    const { wrenn: state } = request
    reply.hijack()
    reply.raw.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0])
    socket.once('close', () => {
      state.abort.abort()
      state.finish(101)
    })
    const addId = (headers: string[]): unknown => headers.push(`x-request-id: ${request.id}`)
    this.#server.once('headers', addId)
    this.#server.handleUpgrade(request.raw, socket, head, (webSocket) => serve(connection(webSocket)))
    this.#server.off('headers', addId)
  }

  /** Tells every client that the server is going away. One that does not take leave within a second is cut. */
  close(): void {
    this.#isClosing = true
    for (const client of this.#server.clients) {
      client.close(1001)
      setTimeout(() => client.terminate(), closeMs)
    }
  }
}

function connection(webSocket: WebSocket): Connection {
  const closed = new AbortController()
  let unanswered = 0
  const pings = setInterval(() => {
    // What waits to be sent waits for a slow reader, and a ping would wait behind it. Whether that one is still there is
    // for TCP to find out, which probes it.
    if (webSocket.bufferedAmount > 0) {
      unanswered = 0
      return
    }
    unanswered += 1
    if (unanswered > lostPings) webSocket.terminate()
    else webSocket.ping()
  }, pingMs)
  webSocket.on('pong', () => (unanswered = 0))
  // A close follows.
  webSocket.on('error', () => undefined)
  webSocket.once('close', () => {
    clearInterval(pings)
    closed.abort()
  })
  return {
    closed: closed.signal,
    onMessage: (listener) => {
      let holding = 0
      webSocket.on('message', (data, isBinary) => {
        const held = listener(isBinary ? undefined : (data as Buffer).toString())
        if (!held) return
        holding += 1
        webSocket.pause()
        void held.finally(() => {
          holding -= 1
          if (holding === 0) webSocket.resume()
        })
      })
    },
    send: (text) =>
      new Promise((resolve) => {
        webSocket.send(text, { binary: false }, () => resolve())
      }),
    close: (code) => webSocket.close(code),
  }
}
