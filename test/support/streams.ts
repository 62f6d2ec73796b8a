// A client of exec/stream: every message is held against the contract, and what came is kept.
import assert from 'node:assert/strict'
import { publicContract, type PublicSchemas } from '@wrenn/contract'
import { pollUntil } from '@wrenn/base'
import { WebSocket } from 'ws'
import type { User } from './user.ts'

export type StreamMessage = PublicSchemas['ExecStreamMessage']

const isMessage = publicContract().validator('ExecStreamMessage')
const waitMs = 60_000

export class ExecStream {
  readonly webSocket: WebSocket
  readonly messages: StreamMessage[] = []
  pings = 0
  #closed: number | undefined

  private constructor(webSocket: WebSocket) {
    this.webSocket = webSocket
    webSocket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as StreamMessage
      assert.equal(isMessage(message), undefined)
      this.messages.push(message)
    })
    webSocket.on('ping', () => (this.pings += 1))
    webSocket.on('close', (code) => (this.#closed = code))
  }

  /** Opens one; throws a text with the status and code of a refusal. */
  static async open(
    user: User,
    id: string,
    options: { headers?: Record<string, string>; protocols?: string[] } = {},
  ): Promise<ExecStream> {
    const { headers = { 'x-api-key': user.key }, protocols = [] } = options
    const url = `${user.url.replace('http', 'ws')}/v1/sandboxes/${id}/exec/stream`
    const webSocket = new WebSocket(url, protocols, { headers })
    const stream = new ExecStream(webSocket)
    await new Promise<void>((resolve, reject) => {
      webSocket.once('open', resolve)
      webSocket.on('error', reject)
      webSocket.once('unexpected-response', (_request, answer) => {
        let body = ''
        answer.on('data', (chunk: Buffer) => (body += chunk.toString()))
        answer.on('end', () => {
          const { error } = JSON.parse(body) as PublicSchemas['Error']
          reject(new Error(`${answer.statusCode} ${error.code}`))
        })
      })
    })
    return stream
  }

  /** Opens one and starts a shell line in it. */
  static async sh(user: User, id: string, line: string, more: object = {}): Promise<ExecStream> {
    const stream = await ExecStream.open(user, id)
    stream.send({ type: 'start', cmd: 'sh', args: ['-c', line], ...more })
    return stream
  }

  send(message: unknown): void {
    this.webSocket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  /** All that came on one of the streams so far. */
  text(type: 'stdout' | 'stderr' | 'error'): string {
    return this.messages
      .filter((message) => message.type === type)
      .map(({ data }) => data)
      .join('')
  }

  /** The process's id, once it has started. */
  pid(): Promise<number> {
    return pollUntil(
      'the command has started',
      () => this.messages.find(({ type }) => type === 'start')?.pid,
      {
        timeoutMs: waitMs,
      },
    )
  }

  /** The close code, once the server has closed. */
  end(): Promise<number> {
    return pollUntil('the stream is closed', () => this.#closed, { timeoutMs: waitMs })
  }

  get last(): StreamMessage | undefined {
    return this.messages.at(-1)
  }
}
