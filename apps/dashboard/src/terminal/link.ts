// Between a screen and its terminal in the sandbox: what is typed goes there, what it says comes here, and a connection
// that breaks is made again, to the same shell, by its pid. Without React and without xterm.js.
import { WrennError, type Pty, type PtyOptions, type PtyRequest } from '@wrenn/sdk'
import { pause } from '../lib/pause.ts'
import type { Screen } from './screen.ts'

export type LinkState =
  | { kind: 'opening' }
  | { kind: 'open' }
  /** It comes back by itself. */
  | { kind: 'lost'; error: WrennError }
  /** Another attempt would be answered the same. */
  | { kind: 'refused'; error: unknown }
  | { kind: 'ended'; exitCode: number }
  /** The shell is not there any more. */
  | { kind: 'gone' }

type OpenPty = Pick<Pty, 'write' | 'resize' | typeof Symbol.asyncIterator>

export interface LinkOptions {
  open: (request: PtyRequest, options: PtyOptions) => OpenPty
  screen: Pick<Screen, 'size' | 'write' | 'clear'>
  /** Of a shell that runs already. */
  pid: number | undefined
  onPid: (pid: number) => void
  onState: (state: LinkState) => void
  /** Whatever went wrong, also when it is tried again. */
  onError: (error: unknown) => void
  signal: AbortSignal
}

const firstPauseMs = 250
const longestPauseMs = 5_000
/** What may wait for the screen: a program that writes more than it can show is attached to again, where it is then. */
const maxBufferedBytes = 4 * 1_024 * 1_024

export class Link {
  readonly #options: LinkOptions
  #pty: OpenPty | undefined
  #pid: number | undefined
  #pauseMs = firstPauseMs

  constructor(options: LinkOptions) {
    this.#options = options
    this.#pid = options.pid
  }

  /** Returns when the shell has ended, is refused or gone, or the signal has aborted: it can be called again then. */
  async run(): Promise<void> {
    const { signal, onState, onError } = this.#options
    onState({ kind: 'opening' })
    while (!signal.aborted) {
      const end = await this.#follow()
      this.#pty = undefined
      if (end === 'ended' || signal.aborted) return
      const { error } = end
      if (error instanceof WrennError && error.code === 'slow_reader') continue
      onError(error)
      const state = this.#stateAfter(error)
      onState(state)
      if (state.kind !== 'lost') return
      await this.#pause(state.error)
    }
  }

  /** As `run`, with a new shell. */
  async runAnew(): Promise<void> {
    this.#pid = undefined
    this.#options.screen.clear()
    await this.run()
  }

  /** What is typed while there is no connection goes nowhere: it would come as a surprise later. */
  type(text: string): void {
    this.#pty?.write(text)
  }

  resize(cols: number, rows: number): void {
    this.#pty?.resize(cols, rows)
  }

  /** Until the shell or the connection ends. */
  async #follow(): Promise<'ended' | { error: unknown }> {
    const { open, screen, signal, onState, onPid } = this.#options
    const isAttach = this.#pid !== undefined
    try {
      const pty = open(this.#pid === undefined ? screen.size : { pid: this.#pid, ...screen.size }, {
        signal,
        maxBufferedBytes,
      })
      this.#pty = pty
      for await (const event of pty) {
        if (event.type === 'exit') {
          onState({ kind: 'ended', exitCode: event.exit_code })
          return 'ended'
        }
        if (event.type === 'start') {
          this.#pid = event.pid
          this.#pauseMs = firstPauseMs
          onPid(event.pid)
          // Its last output comes again.
          if (isAttach) screen.clear()
          onState({ kind: 'open' })
        } else await screen.write(event.data)
      }
      return { error: new WrennError('network_error', 'The connection has ended') }
    } catch (error) {
      return { error }
    }
  }

  #stateAfter(error: unknown): Extract<LinkState, { kind: 'gone' | 'refused' | 'lost' }> {
    if (!(error instanceof WrennError)) return { kind: 'refused', error }
    if (error.code === 'not_found' && this.#pid !== undefined) return { kind: 'gone' }
    return { kind: refusals.has(error.code) ? 'refused' : 'lost', error }
  }

  async #pause({ retryAfterSec = 0 }: WrennError): Promise<void> {
    const ms = Math.max(this.#pauseMs, retryAfterSec * 1_000)
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
    await pause(ms * (1 + Math.random() / 4), this.#options.signal)
  }
}

const refusals: ReadonlySet<string> = new Set([
  'unauthorized',
  'forbidden',
  'not_found',
  'invalid_request',
  'limit_reached',
  'unsupported',
])
