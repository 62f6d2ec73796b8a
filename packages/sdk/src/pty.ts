// A terminal: a command on a pseudo-terminal, which outlives the connection. Leaving the loop, `close()`, aborting the
// signal or losing the connection detaches from it; `stop()` ends it.
import {
  ProcessSocket,
  type ProcessPlace,
  type ProcessSocketOptions,
  type WireMessage,
} from './process-socket.ts'
import type { PtyAttach, PtyStart } from './wire.ts'

/**
 * `start` comes first, with what `attach` needs; after an attach the last output comes again. A command that cannot be
 * run has no `start`, but `output` that says why. `exit` comes last: 126 or 127 when it could not be run, 128+n when
 * signal n killed it, so 129 after `stop()`.
 */
export type PtyEvent =
  | { type: 'start'; pid: number }
  | { type: 'output'; data: string }
  | { type: 'exit'; exit_code: number }

export type PtyOptions = ProcessSocketOptions

/** A new terminal, or with `pid` one that runs. 80 columns and 24 rows when left out. */
export type PtyRequest = PtyStart | PtyAttach

const usualSize = { cols: 80, rows: 24 }
/** The most that one message may have. */
const maxInputLength = 65_536

export class Pty extends ProcessSocket<PtyEvent> {
  #stopping = false

  /** Called by `Sandboxes.pty`. */
  constructor(place: ProcessPlace, request: PtyRequest, options: PtyOptions) {
    super(place, '/v1/sandboxes/{id}/pty', options)
    this.send({ type: 'pid' in request ? 'attach' : 'start', ...usualSize, ...request })
  }

  /** Types. Of any length, in order; what is typed before the connection is open goes once it is. */
  write(data: string): void {
    for (let at = 0; at < data.length;) {
      const end = pieceEnd(data, at)
      this.send({ type: 'input', data: data.slice(at, end) })
      at = end
    }
  }

  /** Of several that are attached the last one's counts. */
  resize(cols: number, rows: number): void {
    this.send({ type: 'resize', cols, rows })
  }

  /** SIGHUP to all processes of the terminal, SIGKILL after 5 s. The events go on until `exit`. */
  stop(): void {
    if (this.#stopping) return
    this.#stopping = true
    this.send({ type: 'stop' })
  }

  /** Detaches: the terminal runs on, and the loop ends. */
  close(): void {
    this.disconnect()
  }

  protected event(message: WireMessage): PtyEvent {
    return message as PtyEvent
  }
}

/** Not between the halves of a character. */
function pieceEnd(data: string, at: number): number {
  const end = Math.min(data.length, at + maxInputLength)
  const isCut = end < data.length && /[\uD800-\uDBFF]/.test(data.charAt(end - 1))
  return isCut ? end - 1 : end
}
