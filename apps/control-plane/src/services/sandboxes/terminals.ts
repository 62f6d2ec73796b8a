// Terminals in a running sandbox. One that is followed is activity; one that nobody follows runs on, and is none.
import type { Readable } from 'node:stream'
import { AppError } from '@wrenn/base'
import type { Follower, GuestAgent, TerminalCommand, TerminalSize } from '../../hosts/guest-agent.ts'
import type { SandboxRef } from '../../store/sandboxes.ts'
import type { SandboxRow } from '../../store/schema.ts'
import { holdActive } from './active.ts'
import { fromAgent } from './create.ts'
import type { SandboxDeps } from './deps.ts'
import { getSandbox } from './find.ts'
import { assertCan } from './states.ts'

/** Throws `not_found` and `invalid_state`. */
export async function findForTerminal(deps: SandboxDeps, ref: SandboxRef): Promise<SandboxRow> {
  const row = await getSandbox(deps.db, ref)
  assertCan('pty', row)
  return row
}

/** Those of one sandbox. A terminal that is not there is `not_found`. */
export class Terminals {
  readonly #deps: SandboxDeps
  readonly #row: SandboxRow

  constructor(deps: SandboxDeps, row: SandboxRow) {
    this.#deps = deps
    this.#row = row
  }

  /** Messages as the client gets them. Leaving the loop, or an abort, leaves the terminal running. */
  start(command: TerminalCommand, follower: Follower): AsyncIterable<Buffer> {
    return this.#follow((guest) => guest.startTerminal(this.#row.id, command, follower))
  }

  /** As `start`, of one that runs: its last output first. */
  attach(pid: number, follower: Follower): AsyncIterable<Buffer> {
    return this.#follow((guest) => guest.attachTerminal(this.#row.id, pid, follower))
  }

  /** Types what comes, for as long as it goes on. */
  feed(pid: number, typing: { input: Readable; signal: AbortSignal }): Promise<void> {
    return this.#call((guest) => guest.feedTerminal(this.#row.id, pid, typing))
  }

  resize(pid: number, size: TerminalSize): Promise<void> {
    return this.#call((guest) => guest.resizeTerminal(this.#row.id, pid, size))
  }

  /** Returns at once; the end comes in the output. */
  stop(pid: number): Promise<void> {
    return this.#call((guest) => guest.stopTerminal(this.#row.id, pid))
  }

  async *#follow(lines: (guest: GuestAgent) => AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const release = holdActive(this.#deps, this.#row.id)
    try {
      yield* lines(await this.#guest())
    } catch (error) {
      throw this.#refusal(error)
    } finally {
      release()
    }
  }

  async #call(work: (guest: GuestAgent) => Promise<void>): Promise<void> {
    try {
      await work(await this.#guest())
    } catch (error) {
      throw this.#refusal(error)
    }
  }

  async #guest(): Promise<GuestAgent> {
    return (await this.#deps.hosts.byId(this.#row.hostId)).agent.guest
  }

  #refusal(error: unknown): unknown {
    if (!(error instanceof AppError)) return error
    // The agent knows better than our row: it was destroyed or paused, or its VM ended. Or the terminal is gone.
    if (error.code === 'not_found' || error.code === 'invalid_state') this.#deps.reconcileSoon()
    return error.code === 'not_found' ? error : fromAgent(error)
  }
}
