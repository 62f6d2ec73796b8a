// QMP, QEMU's control protocol: one JSON object a line over a unix socket; a greeting, then command and answer in turn,
// events in between. QEMU serves one client at a time. Source: QEMU docs/interop/qmp-spec.
import { connect, type Socket } from 'node:net'
import { DeadlineError, pollUntil } from '@wrenn/base'

type Answer = { return?: unknown; error?: { class: string; desc: string }; event?: string; QMP?: unknown }

const answerTimeoutMs = 10_000

export class Qmp {
  readonly closed: Promise<void>
  readonly #socket: Socket
  #buffer = ''
  #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void; command: string }[] = []
  #greeting: () => void = () => undefined
  readonly #greeted = new Promise<void>((resolve) => (this.#greeting = resolve))

  private constructor(socket: Socket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#receive(text))
    socket.on('error', () => undefined) // 'close' follows and fails what waits
    socket.on('close', () => this.#fail(new Error('QEMU closed its control socket')))
  }

  /** Connects as soon as QEMU listens; gives up when it is gone or after `timeoutMs`. */
  static async connect(
    path: string,
    options: { timeoutMs: number; alive: () => boolean; signal?: AbortSignal },
  ): Promise<Qmp> {
    const socket = await pollUntil(
      `QEMU listens on its control socket`,
      async () => {
        if (!options.alive()) return 'gone'
        return tryConnect(path)
      },
      { timeoutMs: options.timeoutMs, intervalMs: 1, ...(options.signal ? { signal: options.signal } : {}) },
    )
    if (socket === 'gone') throw new Error('QEMU ended before it listened on its control socket')
    const qmp = new Qmp(socket)
    await Promise.race([qmp.#greeted, qmp.closed])
    await qmp.execute('qmp_capabilities')
    return qmp
  }

  execute(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // An answer that comes after all would be taken for the next command's.
        this.#socket.destroy(new DeadlineError(`QMP ${command}`, answerTimeoutMs))
      }, answerTimeoutMs)
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer)
          done(value)
        }
      if (this.#socket.destroyed) {
        settle(reject)(new Error(`QMP ${command}: QEMU is gone`))
        return
      }
      this.#waiting.push({ resolve: settle(resolve), reject: settle(reject), command })
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(text: string): void {
    const lines = (this.#buffer + text).split('\n')
    this.#buffer = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') this.#handle(JSON.parse(line) as Answer)
  }

  #handle(answer: Answer): void {
    if (answer.QMP !== undefined) return this.#greeting()
    if (answer.event !== undefined) return
    const waiting = this.#waiting.shift()
    if (answer.error) waiting?.reject(new Error(`QMP ${waiting.command}: ${answer.error.desc}`))
    else waiting?.resolve(answer.return)
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })
}
