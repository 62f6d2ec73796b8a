// The client of envd in one VM. Its connections live and die with the VM: none is ever used for another, and when the VM
// goes away `close` fails everything under way, since a dead guest sends no reset.
import { Agent, request, type IncomingMessage } from 'node:http'
import { Readable, type Duplex } from 'node:stream'
import { AppError, errorText, freeChunk, freeWhatIsRead, pipeBody, withDeadline } from '@wrenn/base'
import { envdPort } from '../network/addresses.ts'
import { connectPersistently } from './connect.ts'

export interface Identity {
  /** Every later request must carry it. */
  accessToken: string
  hostname: string
  /** 32 lower-case hex characters. */
  machineId: string
  /** At least 32 bytes that no other VM gets. */
  entropy: Buffer
}

export interface EnvdResponse {
  status: number
  stream: IncomingMessage
}

interface CallOptions {
  headers?: Record<string, string>
  /** A stream is read as far as envd wants it, and not destroyed; its chunks are freed. A function is called once there is a connection. */
  body?: Buffer | Readable | (() => Buffer)
  /** Until the response's headers are there. Left out: as long as it goes on. */
  timeoutMs?: number
  /** Without a byte in either direction for so long the call fails, also later. */
  idleMs?: number
  signal?: AbortSignal
}

/** A guest that boots takes seconds under emulation, a running one milliseconds. */
const connectTimeoutMs = 30_000
/** Half of what a sandbox's clock may be off. One that waits for a processor hears the time later than it was told. */
const clockLateMs = 250
const clockTries = 3
/** Shorter than envd's own, so that a kept connection is never used just as envd closes it. */
const idleTimeoutMs = 60_000

export class Envd {
  readonly #host: string
  readonly #agent: Agent
  readonly #closed = new AbortController()
  #token: string

  constructor(host: string, token: string) {
    this.#host = host
    this.#token = token
    this.#agent = new GuestAgent(host, this.#closed.signal)
  }

  /** Sets clock, entropy and identity. Waits for a guest that does not answer yet. */
  async init(
    identity: Identity,
    options: { timeoutMs: number; signal?: AbortSignal; thaw?: boolean },
  ): Promise<void> {
    const { thaw = false } = options
    const entropy = identity.entropy.toString('base64')
    let toldAt = 0
    // The time is told when the guest can hear it: until then it may take a while.
    const telling = (fields: object) => (): Buffer => {
      toldAt = performance.now()
      return Buffer.from(JSON.stringify({ ...fields, timestamp: new Date().toISOString() }))
    }
    const body = telling({ ...identity, entropy, thaw })
    await this.#expectEmpty('/init', { ...options, body, headers: json })
    this.#token = identity.accessToken
    // By so much its clock may be behind what it was told. A guest that has answered once is faster.
    const isLate = (): boolean => performance.now() - toldAt > clockLateMs
    for (let again = 0; again < clockTries && isLate(); again++)
      await this.#expectEmpty('/init', { ...options, body: telling({}), headers: json })
  }

  /**
   * Closes every connection that envd has accepted, so that none is frozen into a snapshot. `freeze`: writes what the
   * guest has for its disk, and nothing more until it is thawed.
   */
  async quiesce({ freeze, timeoutMs }: { freeze: boolean; timeoutMs: number }): Promise<void> {
    await this.#expectEmpty('/quiesce', {
      timeoutMs,
      body: Buffer.from(JSON.stringify({ freeze })),
      headers: json,
    })
  }

  /** Lets the guest write to its disk again. Also when it may already. */
  async thaw(): Promise<void> {
    await this.#expectEmpty('/thaw', { timeoutMs: 30_000, body: Buffer.alloc(0), headers: json })
  }

  /**
   * Answers once the headers are there. An abort, also of the client as a whole, ends the call or what is left of its
   * response, with the signal's reason as the error.
   */
  post(path: string, options: CallOptions): Promise<EnvdResponse> {
    return this.send('POST', path, options)
  }

  /** As `post`, with any method. */
  async send(method: 'GET' | 'POST', path: string, options: CallOptions): Promise<EnvdResponse> {
    const { body, idleMs } = options
    const signal = AbortSignal.any([this.#closed.signal, ...(options.signal ? [options.signal] : [])])
    signal.throwIfAborted()
    const call = request({
      host: this.#host,
      port: envdPort,
      method,
      path,
      agent: this.#agent,
      headers: {
        'x-access-token': this.#token,
        ...options.headers,
        ...(body === undefined || Buffer.isBuffer(body) ? { 'content-length': body?.length ?? 0 } : {}),
      },
    })
    const response = new Promise<EnvdResponse>((resolve, reject) => {
      let answer: IncomingMessage | undefined
      // A call that still waits for its connection reports nothing when it is destroyed.
      const cut = (): void => {
        reject(signal.reason as Error)
        ;(answer ?? call).destroy(signal.reason as Error)
      }
      signal.addEventListener('abort', cut, { once: true })
      call.on('response', (stream) => {
        answer = stream
        // Before it had everything: it wants no more, and the connection is of no use any more.
        if (body instanceof Readable && !call.writableFinished) stream.once('close', () => call.destroy())
        resolve({ status: stream.statusCode ?? 0, stream })
      })
      call.on('error', reject)
      call.on('close', () => signal.removeEventListener('abort', cut))
      if (idleMs !== undefined)
        call.setTimeout(idleMs, () => {
          call.destroy(new AppError('agent_error', 'nothing moved for too long'))
        })
      freeWhatIsRead(call)
      if (body instanceof Readable) pipeBody(body, call, freeChunk)
      else if (typeof body === 'function') call.once('socket', () => call.end(body()))
      else call.end(body)
    })
    try {
      if (options.timeoutMs === undefined) return await response
      return await withDeadline(`envd answers ${path}`, options.timeoutMs, response)
    } catch (error) {
      call.destroy()
      throw error
    }
  }

  /** Fails everything under way and all that comes later with `reason`. */
  close(reason: AppError): void {
    this.#closed.abort(reason)
    this.#agent.destroy()
  }

  async #expectEmpty(path: string, options: CallOptions & { timeoutMs: number }): Promise<void> {
    const { status, stream } = await this.post(path, options)
    if (status === 204) {
      stream.resume()
      return
    }
    const text = await withDeadline('envd says why', options.timeoutMs, beginning(stream)).catch(errorText)
    stream.destroy()
    throw new Error(`envd answered ${path} with ${status}: ${text}`)
  }
}

async function beginning(stream: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of stream) {
    text += String(chunk)
    if (text.length >= 500) break
  }
  return text.slice(0, 500)
}

const json = { 'content-type': 'application/json' }

class GuestAgent extends Agent {
  readonly #address: { host: string; port: number }
  readonly #signal: AbortSignal

  constructor(host: string, signal: AbortSignal) {
    super({ keepAlive: true, maxFreeSockets: 4, timeout: idleTimeoutMs })
    this.#address = { host, port: envdPort }
    this.#signal = signal
  }

  override createConnection(
    _options: unknown,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    connectPersistently(this.#address, { timeoutMs: connectTimeoutMs, signal: this.#signal }).then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as unknown as Duplex),
    )
  }
}
