// Terminals without processes, for the agent without VMs: each echoes what is typed, as a shell that does nothing would,
// and outlives those who follow it. `exit\r` ends it with 0, a stop with 129; `no-such-command` cannot be run.
import { EventEmitter, on } from 'node:events'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { AppError } from '@wrenn/base'
import type { HostAgentSchemas, PublicSchemas } from '@wrenn/contract'

type Start = HostAgentSchemas['StartTerminalRequest']
type Size = HostAgentSchemas['TerminalSize']
type Event = PublicSchemas['PtyEvent']

interface Terminal {
  /** Of the sandbox that it runs in. */
  id: string
  shown: string
  events: EventEmitter<{ event: [Event] }>
}

export class FakeTerminals {
  /** Every size that was asked for, in order. */
  readonly sizes: Size[] = []
  /** All that was typed. */
  typed = ''
  /** How many are followed now. */
  followed = 0
  /** While it is set, typing waits for it. */
  stuck: Promise<void> | undefined
  readonly #terminals = new Map<number, Terminal>()
  #lastPid = 100

  start(id: string, { cmd, cols, rows }: Start, signal: AbortSignal): AsyncGenerator<string> {
    if (cmd === 'no-such-command') return cannotRun(cmd)
    this.sizes.push({ cols, rows })
    const pid = (this.#lastPid += 1)
    this.#terminals.set(pid, { id, shown: '', events: new EventEmitter() })
    return this.#follow(id, pid, signal)
  }

  attach(
    id: string,
    pid: number,
    { size, signal }: { size: Size; signal: AbortSignal },
  ): AsyncGenerator<string> {
    this.resize(id, pid, size)
    return this.#follow(id, pid, signal)
  }

  resize(id: string, pid: number, size: Size): void {
    this.#find(id, pid)
    this.sizes.push(size)
  }

  async feed(id: string, pid: number, input: Readable): Promise<void> {
    const decoder = new StringDecoder('utf8')
    for await (const chunk of input.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      await this.stuck
      const terminal = this.#find(id, pid)
      const text = decoder.write(chunk)
      this.typed += text
      this.#emit(terminal, { type: 'output', data: text.replaceAll('\r', '\r\n') })
      if (text.endsWith('exit\r')) this.#end(pid, terminal, 0)
    }
  }

  stop(id: string, pid: number): void {
    const terminal = this.#terminals.get(pid)
    if (terminal?.id === id) this.#end(pid, terminal, 129)
  }

  /** As if the VM had gone away under them. */
  break(why: string): void {
    for (const terminal of this.#terminals.values())
      terminal.events.emit('event', { type: 'error', code: 'invalid_state', data: why })
  }

  #end(pid: number, terminal: Terminal, exit_code: number): void {
    this.#terminals.delete(pid)
    terminal.events.emit('event', { type: 'exit', exit_code })
  }

  #emit(terminal: Terminal, event: Event): void {
    terminal.shown += event.data ?? ''
    terminal.events.emit('event', event)
  }

  #find(id: string, pid: number): Terminal {
    const terminal = this.#terminals.get(pid)
    if (terminal?.id === id) return terminal
    throw new AppError('not_found', `There is no terminal ${pid}`)
  }

  async *#follow(id: string, pid: number, signal: AbortSignal): AsyncGenerator<string> {
    const { events, shown } = this.#find(id, pid)
    this.followed += 1
    try {
      const coming = on(events, 'event', { signal })
      yield line({ type: 'start', pid })
      if (shown !== '') yield line({ type: 'output', data: shown })
      for await (const [event] of coming as AsyncIterable<[Event]>) {
        yield line(event)
        if (event.type === 'exit' || event.type === 'error') return
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      this.followed -= 1
    }
  }
}

async function* cannotRun(cmd: string): AsyncGenerator<string> {
  yield line({ type: 'output', data: `${cmd}: not found\r\n` })
  yield line({ type: 'exit', exit_code: 127 })
}

function line(event: Event): string {
  return `${JSON.stringify(event)}\n`
}
