// Tells teams what changes, as it does: whichever control plane, agent or operator changes it. Everybody who listens is
// told how things are, not what happened to them: so what is overtaken is left out, and nobody can miss the last word.
// Rows are read once, however many listen, and nothing is read or listened to while nobody does.
import { errorText, outsideRequests, type Logger, type TeamId } from '@wrenn/base'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Caller } from '../../auth/authenticate.ts'
import { Changes, type Change } from '../../store/changes.ts'
import type { Database } from '../../store/database.ts'
import { Changed } from './changed.ts'
import { isExpired, liveCallers } from './live-callers.ts'
import { Mailbox, type TeamEvent } from './mailbox.ts'

export interface TeamEventsDeps {
  db: Database
  databaseUrl: string
  logger: Logger
}

interface Listener {
  caller: Caller
  mailbox: Mailbox
}

/** Between two reads: what changes together is told together. */
const restMs = 50
const restAfterFailureMs = 500
const activityMs = 2_000

export class TeamEvents {
  readonly #deps: TeamEventsDeps
  readonly #teams = new Map<TeamId, Set<Listener>>()
  #changes: Changes | undefined
  #isListening = false
  #changed = new Changed()
  #isReading = false
  /** What was active, until it is looked at. */
  #active = new Changed()
  #lookAtActive: NodeJS.Timeout | undefined

  constructor(deps: TeamEventsDeps) {
    this.#deps = deps
  }

  /** Until the signal aborts, or the caller's credential is worth nothing any more. */
  async *listen(caller: Caller, signal: AbortSignal): AsyncGenerator<TeamEvent, void, undefined> {
    const listener = { caller, mailbox: new Mailbox() }
    const end = (): void => listener.mailbox.end()
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    this.#join(listener)
    try {
      yield* listener.mailbox.take()
    } finally {
      signal.removeEventListener('abort', end)
      await this.#leave(listener)
    }
  }

  /** Ends those whose token has expired, whose key was deleted, whose user was disabled. To be called often. */
  async endDeadSessions(): Promise<void> {
    // Before the database is asked, which may be away.
    for (const { caller, mailbox } of this.#listeners()) if (isExpired(caller)) mailbox.end()
    const listeners = this.#listeners()
    const callers = listeners.map(({ caller }) => caller)
    const live = await liveCallers(this.#deps.db, callers)
    for (const { caller, mailbox } of listeners) if (!live.has(caller)) mailbox.end()
  }

  async close(): Promise<void> {
    for (const { mailbox } of this.#listeners()) mailbox.end()
    this.#teams.clear()
    await this.#stopListening()
  }

  #listeners(): Listener[] {
    return [...this.#teams.values()].flatMap((listeners) => Array.from(listeners))
  }

  #join(listener: Listener): void {
    const { teamId } = listener.caller
    const listeners = this.#teams.get(teamId) ?? new Set()
    this.#teams.set(teamId, listeners.add(listener))
    if (this.#isListening) listener.mailbox.ready()
    this.#changes ??= outsideRequests(() => this.#startListening())
  }

  async #leave(listener: Listener): Promise<void> {
    const { teamId } = listener.caller
    const listeners = this.#teams.get(teamId)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.#teams.delete(teamId)
    if (this.#teams.size === 0) await this.#stopListening()
  }

  #startListening(): Changes {
    const { databaseUrl, logger } = this.#deps
    const changes: Changes = new Changes({
      databaseUrl,
      logger,
      onChange: (change) => this.#noteIfWanted(change),
      onListening: () => {
        if (this.#changes !== changes) return
        this.#isListening = true
        for (const { mailbox } of this.#listeners()) mailbox.ready()
      },
      // Also one that nobody has needed any more, while another one has begun.
      onLost: () => {
        if (this.#changes !== changes) return
        this.#isListening = false
        for (const { mailbox } of this.#listeners()) mailbox.pause()
      },
    })
    return changes
  }

  async #stopListening(): Promise<void> {
    const changes = this.#changes
    this.#changes = undefined
    this.#isListening = false
    clearTimeout(this.#lookAtActive)
    this.#lookAtActive = undefined
    this.#active = new Changed()
    await changes?.close()
  }

  #noteIfWanted(change: Change): void {
    const teamId = change.kind === 'gone' ? change.row.teamId : change.teamId
    if (teamId !== undefined && !this.#teams.has(teamId)) return
    if (change.kind === 'activity') this.#noteActive(change)
    else {
      this.#changed.add(change)
      this.#readSoon()
    }
  }

  /** It comes all the time, and nobody needs to know it to the second. */
  #noteActive(change: Change): void {
    this.#active.add(change)
    this.#lookAtActive ??= setTimeout(() => {
      this.#lookAtActive = undefined
      this.#changed.addAll(this.#active)
      this.#active = new Changed()
      this.#readSoon()
    }, activityMs).unref()
  }

  #readSoon(): void {
    if (this.#isReading) return
    this.#isReading = true
    void this.#read()
  }

  async #read(): Promise<void> {
    while (!this.#changed.isEmpty && this.#teams.size > 0) {
      const changed = this.#changed
      this.#changed = new Changed()
      try {
        for (const { teamId, event } of await changed.read(this.#deps.db)) this.#tell(teamId, event)
        await sleep(restMs, undefined, { ref: false })
      } catch (error) {
        const reason = errorText(error)
        this.#deps.logger.warn({ op: 'readChanges', outcome: 'failed', reason })
        this.#changed.addAll(changed)
        await sleep(restAfterFailureMs, undefined, { ref: false })
      }
    }
    this.#changed = new Changed()
    this.#isReading = false
  }

  #tell(teamId: TeamId | undefined, event: TeamEvent): void {
    const listeners = teamId === undefined ? this.#listeners() : (this.#teams.get(teamId) ?? [])
    for (const { mailbox } of listeners) mailbox.put(event)
  }
}
