// QMP, QEMU's control protocol: one JSON object a line over a unix socket; a greeting, then command and answer in turn,
// events in between. QEMU serves one client at a time. Source: QEMU docs/interop/qmp-spec.
import { connect, type Socket } from 'node:net'
import { DeadlineError, MIB, pollUntil, withDeadline } from '@wrenn/base'

interface Greeting {
  version: { qemu?: { major: number; minor: number; micro: number } }
}
interface Answer {
  return?: unknown
  error?: { class: string; desc: string }
  event?: string
  data?: { action?: string }
  QMP?: Greeting
}

const answerTimeoutMs = 10_000
/** QEMU's answers to our commands have a few hundred bytes. */
const maxLineLength = MIB

export class Qmp {
  readonly closed: Promise<void>
  /** Of the QEMU that answers, which may be older than the one installed: "7.2.22". Empty before it has greeted. */
  version = ''
  /** Called when QEMU has stopped the guest because a write met a full disk. */
  onDiskFull: () => void = () => undefined
  readonly #socket: Socket
  #buffer = ''
  #failure = new Error('QEMU closed its control socket')
  #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void; command: string }[] = []
  #greeting: () => void = () => undefined
  readonly #greeted = new Promise<void>((resolve) => (this.#greeting = resolve))

  private constructor(socket: Socket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#receive(text))
    socket.on('error', (error) => (this.#failure = error)) // 'close' follows and fails what waits
    socket.on('close', () => this.#fail())
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
    try {
      // QEMU accepts, but greets nobody, while another client is connected.
      const greeted = Promise.race([qmp.#greeted, qmp.closed])
      await withDeadline('QEMU greets on its control socket', options.timeoutMs, greeted)
      await qmp.execute('qmp_capabilities')
      return qmp
    } catch (error) {
      qmp.close()
      throw error
    }
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

  /** A guest may have taken QEMU over: what it sends instead of QMP ends the connection, and so the VM. */
  #receive(text: string): void {
    const lines = (this.#buffer + text).split('\n')
    this.#buffer = lines.pop() ?? ''
    try {
      if (this.#buffer.length > maxLineLength) throw new Error('a line without end')
      for (const line of lines) if (line.trim() !== '') this.#handle(JSON.parse(line) as Answer)
    } catch (cause) {
      this.#socket.destroy(new Error('QEMU sent something that is not QMP', { cause }))
    }
  }

  #handle(answer: Answer): void {
    if (answer.QMP !== undefined) {
      const { major, minor, micro } = answer.QMP.version.qemu ?? {}
      this.version = [major, minor, micro].join('.')
      return this.#greeting()
    }
    if (answer.event === 'BLOCK_IO_ERROR' && answer.data?.action === 'stop') this.onDiskFull()
    if (answer.event !== undefined) return
    const waiting = this.#waiting.shift()
    if (answer.error) waiting?.reject(new Error(`QMP ${waiting.command}: ${answer.error.desc}`))
    else waiting?.resolve(answer.return)
  }

  #fail(): void {
    for (const { command, reject } of this.#waiting.splice(0))
      reject(new Error(`QMP ${command}: ${this.#failure.message}`, { cause: this.#failure }))
  }
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })
}
