// Clients of exec/stream and pty: every message is held against the contract, and what came is kept.
import assert from 'node:assert/strict'
import { publicContract, type PublicSchemas } from '@wrenn/contract'
import { pollUntil } from '@wrenn/base'
import { WebSocket } from 'ws'
import type { User } from './user.ts'

export type StreamMessage = PublicSchemas['ExecStreamMessage']
export type PtyEvent = PublicSchemas['PtyEvent']

interface Message {
  type: string
  pid?: number
  data?: string
}

interface OpenOptions {
  headers?: Record<string, string>
  protocols?: string[]
}

const contract = publicContract()
const waitMs = 60_000

abstract class ProcessStream<Received extends Message> {
  readonly webSocket: WebSocket
  readonly messages: Received[] = []
  pings = 0
  #closed: number | undefined

  constructor(webSocket: WebSocket, schema: string) {
    const isMessage = contract.validator(schema)
    this.webSocket = webSocket
    webSocket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as Received
      assert.equal(isMessage(message), undefined)
      this.messages.push(message)
    })
    webSocket.on('ping', () => (this.pings += 1))
    webSocket.on('close', (code) => (this.#closed = code))
  }

  send(message: unknown): void {
    this.webSocket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  /** All data of this type that came so far. */
  text(type: Received['type']): string {
    return this.messages
      .filter((message) => message.type === type)
      .map(({ data }) => data)
      .join('')
  }

  /** The process's id, once it has started. */
  pid(): Promise<number> {
    const started = (): number | undefined => this.messages.find(({ type }) => type === 'start')?.pid
    return pollUntil('the command has started', started, { timeoutMs: waitMs })
  }

  /** The close code, once the server has closed. */
  end(): Promise<number> {
    return pollUntil('the stream is closed', () => this.#closed, { timeoutMs: waitMs })
  }

  get last(): Received | undefined {
    return this.messages.at(-1)
  }
}

export class ExecStream extends ProcessStream<StreamMessage> {
  /** Opens one; throws a text with the status and code of a refusal. */
  static async open(user: User, id: string, options: OpenOptions = {}): Promise<ExecStream> {
    const webSocket = connect(user, `/v1/sandboxes/${id}/exec/stream`, options)
    const stream = new ExecStream(webSocket, 'ExecStreamMessage')
    await opened(webSocket)
    return stream
  }

  /** Opens one and starts a shell line in it. */
  static async sh(user: User, id: string, line: string, more: object = {}): Promise<ExecStream> {
    const stream = await ExecStream.open(user, id)
    stream.send({ type: 'start', cmd: 'sh', args: ['-c', line], ...more })
    return stream
  }
}

export class PtyStream extends ProcessStream<PtyEvent> {
  /** Opens one and sends the first message. */
  static async open(user: User, id: string, first: object, options: OpenOptions = {}): Promise<PtyStream> {
    const webSocket = connect(user, `/v1/sandboxes/${id}/pty`, options)
    const stream = new PtyStream(webSocket, 'PtyEvent')
    await opened(webSocket)
    stream.send(first)
    return stream
  }

  static start(user: User, id: string, more: object = {}): Promise<PtyStream> {
    return PtyStream.open(user, id, { type: 'start', cols: 80, rows: 24, ...more })
  }

  static attach(user: User, id: string, pid: number): Promise<PtyStream> {
    return PtyStream.open(user, id, { type: 'attach', pid, cols: 80, rows: 24 })
  }

  get output(): string {
    return this.text('output')
  }

  type(data: string): void {
    this.send({ type: 'input', data })
  }

  /** Returns once the terminal has shown it. */
  async shows(what: RegExp): Promise<void> {
    const shown = (): true | undefined => what.test(this.output) || undefined
    await pollUntil(`the terminal shows ${what}`, shown, { timeoutMs: waitMs })
  }
}

function connect(
  user: User,
  path: string,
  { headers = { 'x-api-key': user.key }, protocols = [] }: OpenOptions,
): WebSocket {
  return new WebSocket(user.url.replace('http', 'ws') + path, protocols, { headers })
}

/** Throws a text with the status and code of a refusal. */
function opened(webSocket: WebSocket): Promise<void> {
  return new Promise<void>((resolve, reject) => {
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
}
