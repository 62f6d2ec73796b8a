// A command whose output comes while it runs: one WebSocket for each. Leaving the loop, aborting the signal or losing
// the connection ends the command.
import {
  ProcessSocket,
  type ProcessPlace,
  type ProcessSocketOptions,
  type WireMessage,
} from './process-socket.ts'
import type { StreamRequest } from './wire.ts'

/**
 * `start` comes first, unless the command cannot be run: then there is the reason on stderr and exit code 126 or 127.
 * `exit` comes last. 128+n: killed by signal n, so 143 after `stop()`.
 */
export type ExecEvent<Data extends string | Uint8Array = string> =
  | { type: 'start'; pid: number }
  | { type: 'stdout' | 'stderr'; data: Data }
  | { type: 'exit'; exit_code: number }

export type ExecStreamOptions = ProcessSocketOptions

export class ExecStream<Data extends string | Uint8Array = string> extends ProcessSocket<ExecEvent<Data>> {
  readonly #isBinary: boolean
  #stopping = false

  /** Called by `Sandboxes.execStream`. */
  constructor(
    place: ProcessPlace,
    request: StreamRequest & { encoding?: 'utf-8' | 'base64' },
    options: ExecStreamOptions,
  ) {
    super(place, '/v1/sandboxes/{id}/exec/stream', options)
    this.#isBinary = request.encoding === 'base64'
    this.send({ type: 'start', ...request })
  }

  /** SIGTERM to the command's process group, SIGKILL after 5 s. The events go on until `exit`. */
  stop(): void {
    if (this.#stopping) return
    this.#stopping = true
    this.send({ type: 'stop' })
  }

  protected event(message: WireMessage): ExecEvent<Data> {
    if (message.type !== 'stdout' && message.type !== 'stderr') return message as ExecEvent<Data>
    const data = message.data ?? ''
    return { type: message.type, data: (this.#isBinary ? fromBase64(data) : data) as Data }
  }
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
