// All sandboxes of this host: the state machine of each, and one queue per sandbox, so that what changes it happens one
// after the other. A destroy wins: it cuts a create or a resume short and waits for the rest. Commands run beside the
// queue, as long as the state is running.
import { AppError, Limiter, type SandboxId } from '@wrenn/base'
import { GuestNotUp } from './boot.ts'
import { foldMemory } from './fold.ts'
import { GuestCalls } from './guest-calls.ts'
import { IdleTimer } from './idle-timer.ts'
import type { Parts } from './parts.ts'
import { Pool } from './pool.ts'
import { pauseSandbox, type PausedSandbox, type PauseReason } from './pause.ts'
import { changed, isIn } from './record.ts'
import { resumeSandbox, type Resumable } from './resume.ts'
import {
  discardVm,
  makeSandbox,
  releaseVm,
  type LiveSandbox,
  type SandboxSpec,
  type StoredSandbox,
} from './sandbox.ts'
import type { Snapshot } from './snapshots.ts'
import { StateTable } from './state-table.ts'
import { notLegal, storedOf, type SandboxState } from './states.ts'
import type { Templates } from './templates.ts'

/** Folds copy memory on disk; one at a time leaves the disk to those who wait for it. */
const foldsAtOnce = 1

export class Sandboxes {
  readonly #parts: Parts
  readonly #templates: Templates
  readonly #table: StateTable
  readonly guest: GuestCalls
  readonly #folds = new Limiter(foldsAtOnce)
  readonly pool: Pool
  #suspended = false

  constructor(parts: Parts, templates: Templates, poolSize = 0) {
    this.#parts = parts
    this.#templates = templates
    this.#table = new StateTable(parts.log)
    this.guest = new GuestCalls(this.#table)
    const isQuiet = (): boolean => this.#table.isQuiet()
    this.pool = new Pool(parts, { size: poolSize, isQuiet, use: templates.use })
  }

  list(): { id: SandboxId; state: SandboxState }[] {
    return this.#table.list()
  }

  /** Throws `not_found`. */
  get(id: SandboxId): SandboxState {
    return this.#table.get(id)
  }

  /** Memory of all guests that run or are about to. */
  promisedMib(): number {
    return this.#table.promisedMib()
  }

  /** Takes over what an earlier agent left. What it paused only for its own stop is resumed, in the background. */
  adopt(found: { live: LiveSandbox[]; stored: StoredSandbox[] }): void {
    for (const live of found.live) this.#running(live)
    for (const { record, folder } of found.stored) {
      if (isIn(record, 'saved', 'cold')) {
        this.#table.set(record.id, { status: 'paused', stored: { record, folder } })
        if (isIn(record, 'saved') && record.state.resumeAtStart) this.#resumeAtStart(record.id)
        else this.#foldSoon(record.id)
      } else if (isIn(record, 'expired'))
        this.#table.set(record.id, { status: 'expired', stored: { record, folder } })
      else if (isIn(record, 'failed'))
        this.#table.set(record.id, {
          status: 'failed',
          reason: record.state.reason,
          stored: { record, folder },
        })
    }
  }

  create(spec: SandboxSpec): Promise<LiveSandbox> {
    if (this.#table.find(spec.id))
      throw new AppError('already_exists', `there is a sandbox ${spec.id} already`)
    this.#refuseWhenSuspended()
    const promised = this.promisedMib()
    const cut = new AbortController()
    const signal = AbortSignal.any([cut.signal, this.#parts.stopping])
    this.#table.set(spec.id, { status: 'creating', spec, cut })
    return this.#table.transition('create', spec.id, async () => {
      try {
        await this.#admit(spec.memoryMib, promised)
        const { use } = this.#templates
        const live = await makeSandbox(this.#parts, spec, { use, pool: this.pool, signal })
        // What had to be booted has nothing to be made ready from.
        if (live.record.state.reason === undefined) this.pool.wish(spec)
        return this.#running(live)
      } catch (error) {
        this.#table.delete(spec.id)
        if (signal.aborted) throw signal.reason
        if (error instanceof AppError) throw error
        throw startError('the sandbox could not be started', error)
      }
    })
  }

  /** Answers when everything is durable and the VM is given up. On a failure it runs on. */
  pause(id: SandboxId, why: PauseReason = {}): Promise<PausedSandbox> {
    const live = this.#table.need(id, 'running').live
    const pausing = this.#table.set(id, { status: 'pausing', live })
    return this.#table.transition('pause', id, async () => {
      this.#table.mustBe(id, pausing)
      const paused = await this.#save(live, why)
      this.#table.set(id, { status: 'paused', stored: paused })
      this.#foldSoon(id)
      return paused
    })
  }

  /** On a failure it stays paused. */
  resume(id: SandboxId): Promise<LiveSandbox> {
    this.#refuseWhenSuspended()
    const { stored } = this.#table.need(id, 'paused')
    const promised = this.promisedMib()
    const cut = new AbortController()
    const resuming = this.#table.set(id, { status: 'resuming', stored, cut })
    return this.#table.transition('resume', id, async () => {
      this.#table.mustBe(id, resuming)
      try {
        await this.#admit(stored.record.memoryMib, promised)
        return await this.#load(resuming)
      } catch (error) {
        this.#table.set(id, { status: 'paused', stored: resuming.stored })
        if (error instanceof AppError) throw error
        throw startError('the sandbox could not be resumed, it stays paused', error)
      }
    })
  }

  /** Turns it into a template. On a failure it is as it was, and there is none. */
  snapshot(id: SandboxId, key: string): Promise<Snapshot> {
    const before = this.get(id)
    if (before.status !== 'running' && before.status !== 'paused')
      throw notLegal(id, before, 'running or paused')
    const stored = storedOf(before)
    if (isIn(stored.record, 'cold'))
      throw new AppError('invalid_state', `sandbox ${id} has lost its memory: resume it first`)
    const snapshotting = this.#table.set(id, { status: 'snapshotting', stored })
    return this.#table.transition('snapshot', id, async () => {
      this.#table.mustBe(id, snapshotting)
      const made =
        before.status === 'running'
          ? await this.#snapshotRunning(before.live, key)
          : await this.#snapshotPaused(before.stored as PausedSandbox, key)
      await this.#parts.storage.removeFolder(stored.folder)
      this.#table.delete(id)
      return made
    })
  }

  /** Returns when nothing of it is left. Also when there is none. */
  async destroy(id: SandboxId): Promise<void> {
    const current = this.#table.find(id)
    if (current?.status === 'creating' || current?.status === 'resuming')
      current.cut.abort(new AppError('not_found', `sandbox ${id} was destroyed`))
    if (!current) return
    await this.#table.transition('destroy', id, async () => {
      const state = this.#table.find(id)
      if (!state || state.status === 'creating') return
      const stored = storedOf(state)
      const left = 'live' in state ? { live: state.live } : {}
      this.#table.set(id, { status: 'destroying', stored })
      try {
        const why = new AppError('not_found', `sandbox ${id} was destroyed`)
        if (left.live) await discardVm(this.#parts, left.live, why)
        else await this.#parts.storage.removeFolder(stored.folder)
        this.#table.delete(id)
      } catch (error) {
        const reason = 'it could not be removed completely'
        this.#table.set(id, { status: 'failed', reason, stored, ...left })
        throw error
      }
    })
  }

  /** Pauses what runs, for the platform's stop. Returns those that could not be paused in time: they run on. */
  async suspend(timeoutMs: number): Promise<{ paused: number; failed: SandboxId[] }> {
    this.#suspended = true
    await this.pool.close()
    for (const { state } of this.list())
      if (state.status === 'creating' || state.status === 'resuming')
        state.cut.abort(new AppError('unavailable', 'The platform is stopping'))
    const deadline = performance.now() + timeoutMs
    let paused = 0
    const failed: SandboxId[] = []
    await Promise.all(
      this.list().map(({ id, state }) =>
        this.#parts.lanes.run(async () => {
          if (state.status !== 'running' || performance.now() > deadline) return
          const done = this.pause(id, { resumeAtStart: true }).then(() => (paused += 1))
          await done.catch(() => failed.push(id))
        }),
      ),
    )
    await this.settled()
    const left = this.list().filter(({ id, state }) => state.status === 'running' && !failed.includes(id))
    return { paused, failed: [...failed, ...left.map(({ id }) => id)] }
  }

  /** Returns when what is paused is folded, and so as small as it gets. */
  folded(): Promise<void> {
    return this.#folds.run(() => this.#table.settled())
  }

  /** Returns when no transition is under way. */
  settled(): Promise<void> {
    return this.#table.settled()
  }

  #running(live: LiveSandbox): LiveSandbox {
    const { id, timeoutSec } = live.record
    const idle = new IdleTimer(timeoutSec, () => void this.#expire(id, live))
    this.#table.set(id, { status: 'running', live, idle })
    void live.vm.exited.then(() => this.#ended(live)).catch(() => undefined) // logged by the transition
    return live
  }

  /** A guest that powered off, or a VMM that died. What it ran on stays until its destroy. */
  async #ended(live: LiveSandbox): Promise<void> {
    const { id } = live.record
    const state = this.#table.find(id)
    if (state?.status !== 'running' || state.live !== live) return
    const reason = 'its VM ended by itself'
    const failed = changed(live.record, { kind: 'failed', reason })
    this.#table.set(id, { status: 'failed', reason, stored: { record: failed, folder: live.folder }, live })
    this.#parts.log.warn({ op: 'sandbox.exit', outcome: 'failed', sandboxId: id })
    await this.#table.transition('fail', id, async () => {
      if (this.#table.find(id)?.status === 'failed')
        await this.#parts.storage.writeRecord(live.folder, failed)
    })
  }

  /** As `pauseSandbox`; on a failure it is running again, or failed when its VM is gone. */
  async #save(live: LiveSandbox, why: PauseReason): Promise<PausedSandbox> {
    try {
      return await pauseSandbox(this.#parts, live, why)
    } catch (error) {
      this.#running(live)
      throw error
    }
  }

  async #load(resuming: Extract<SandboxState, { status: 'resuming' }>): Promise<LiveSandbox> {
    const signal = AbortSignal.any([resuming.cut.signal, this.#parts.stopping])
    const changedTo = (now: Resumable): void => void (resuming.stored = now)
    const work = (): Promise<LiveSandbox> =>
      resumeSandbox(this.#parts, resuming.stored, { signal, changedTo })
    return this.#running(await this.#parts.lanes.run(work, signal))
  }

  async #snapshotRunning(live: LiveSandbox, key: string): Promise<Snapshot> {
    const paused = await this.#save(live, { resumeAtStart: true, snapshot: key })
    try {
      return await this.#addSnapshot(paused, key)
    } catch (error) {
      const { id } = live.record
      const cut = new AbortController()
      const resuming = this.#table.set(id, { status: 'resuming', stored: paused, cut })
      try {
        await this.#load(resuming)
      } catch (err) {
        this.#table.set(id, {
          status: 'paused',
          stored: resuming.stored,
          reason: 'It could not be resumed after a snapshot failed',
        })
        this.#parts.log.error({ op: 'sandbox.resume', outcome: 'failed', sandboxId: id, err })
      }
      throw error
    }
  }

  async #snapshotPaused({ record, folder }: PausedSandbox, key: string): Promise<Snapshot> {
    const stored = { record: { ...record, state: { ...record.state, snapshot: key } }, folder }
    try {
      await this.#parts.storage.writeRecord(folder, stored.record)
      return await this.#addSnapshot(stored, key)
    } catch (error) {
      this.#table.set(record.id, { status: 'paused', stored })
      throw error
    }
  }

  async #addSnapshot(paused: PausedSandbox, key: string): Promise<Snapshot> {
    // In place: whoever goes on after a failure has the sandbox as it stands on disk.
    paused.record = (await foldMemory(this.#parts, paused)).record
    return await this.#templates.snapshots.add(key, paused)
  }

  async #expire(id: SandboxId, live: LiveSandbox): Promise<void> {
    const { timeoutSec, onTimeout } = live.record
    const reason = `It was idle for ${timeoutSec} s`
    try {
      if (onTimeout === 'pause') await this.pause(id, { reason })
      else await this.#endExpired(id, reason)
    } catch (err) {
      // It runs on, and its time has begun anew.
      this.#parts.log.error({ op: 'sandbox.expire', outcome: 'failed', sandboxId: id, err })
    }
  }

  #endExpired(id: SandboxId, reason: string): Promise<void> {
    const { live } = this.#table.need(id, 'running')
    const pausing = this.#table.set(id, { status: 'pausing', live })
    return this.#table.transition('expire', id, async () => {
      this.#table.mustBe(id, pausing)
      const record = changed(live.record, { kind: 'expired', reason })
      await this.#parts.storage.writeRecord(live.folder, record)
      live.envd.close(new AppError('not_found', `sandbox ${id} was destroyed`))
      this.#table.set(id, { status: 'expired', stored: { record, folder: live.folder } })
      await releaseVm(this.#parts, live)
    })
  }

  #resumeAtStart(id: SandboxId): void {
    this.resume(id).catch((error: unknown) => {
      const state = this.#table.find(id)
      if (state?.status !== 'paused') return
      const reason = 'It was paused when the platform stopped, and could not be resumed'
      this.#table.set(id, { ...state, reason })
      this.#parts.log.error({ op: 'sandbox.resumeAtStart', outcome: 'failed', sandboxId: id, err: error })
    })
  }

  #foldSoon(id: SandboxId): void {
    const fold = (): Promise<void> =>
      this.#table.after(id, async () => {
        const state = this.#table.find(id)
        if (this.#suspended || state?.status !== 'paused' || !isIn(state.stored.record, 'saved')) return
        const { record, folder } = state.stored
        // In place: a resume may stand behind this in the queue with the same sandbox in hand.
        state.stored.record = (await foldMemory(this.#parts, { record, folder })).record
      })
    this.#folds.run(fold).catch((err: unknown) => {
      // The next resume does it, or says why not.
      this.#parts.log.error({ op: 'sandbox.fold', outcome: 'failed', sandboxId: id, err })
    })
  }

  /** Throws `no_capacity`. VMs that are only kept ready give way. */
  async #admit(memoryMib: number, promisedMib: number): Promise<void> {
    try {
      await this.#parts.capacity.admit(memoryMib, promisedMib)
    } catch (error) {
      if (!(await this.pool.empty())) throw error
      await this.#parts.capacity.admit(memoryMib, promisedMib)
    }
  }

  #refuseWhenSuspended(): void {
    if (this.#suspended) throw new AppError('unavailable', 'The platform is stopping')
  }
}

/** Why the guest is not up is for the caller; what else went wrong is for the log. */
function startError(message: string, cause: unknown): AppError {
  const text = cause instanceof GuestNotUp ? `${message}: ${cause.message}` : message
  return new AppError('agent_error', text, { cause })
}
