// What a host agent without VMs has: sandboxes with the states and generations of the agent's contract, their idle
// timers, and snapshot templates. A change takes at least a turn of the event loop, so that others can meet it half-way.
import { AppError, MIB } from '@wrenn/base'
import type { HostAgentSchemas } from '@wrenn/contract'

export type AgentSandbox = HostAgentSchemas['Sandbox']
export type AgentSnapshot = HostAgentSchemas['Snapshot']
type Status = AgentSandbox['status']
type CreateRequest = HostAgentSchemas['CreateSandboxRequest']

interface Idle {
  timeoutSec: number
  onTimeout: 'pause' | 'destroy'
  /** Commands and transfers that are open. */
  open: number
  timer: NodeJS.Timeout | undefined
}

/** Waits in the middle of a change; throws to make it fail. */
type Halfway = () => Promise<void>

export class FakeMachine {
  readonly sandboxes = new Map<string, AgentSandbox>()
  readonly snapshots = new Map<string, AgentSnapshot>()
  readonly #idle = new Map<string, Idle>()
  #toResume: string[] = []
  /** A destroy wins over a create in progress, also over one that has not come far enough to be in the list. */
  readonly #destroyed = new Set<string>()
  readonly #cold = new Map<string, string>()
  #suspended = false
  #addresses = 1

  find(id: string): AgentSandbox {
    const sandbox = this.sandboxes.get(id)
    if (!sandbox) throw new AppError('not_found', `There is no sandbox ${id}`)
    return sandbox
  }

  findRunning(id: string): AgentSandbox {
    const sandbox = this.find(id)
    if (sandbox.status !== 'running') throw new AppError('invalid_state', `It is ${sandbox.status}`)
    return sandbox
  }

  create(request: CreateRequest): AgentSandbox {
    const { id, template, vcpus, memory_mib, snapshot: key, timeout_sec = 0, on_timeout = 'pause' } = request
    this.#assertOpen()
    if (template !== 'minimal') throw new AppError('not_found', `There is no template ${template}`)
    if (key !== undefined) this.#assertFits(key, { vcpus, memory_mib })
    if (this.#destroyed.has(id)) throw new AppError('invalid_state', `${id} was destroyed meanwhile`)
    if (this.sandboxes.has(id)) throw new AppError('already_exists', `${id} exists`)
    const sandbox = { id, template, vcpus, memory_mib, status: 'paused' as const, generation: 0 }
    this.#idle.set(id, { timeoutSec: timeout_sec, onTimeout: on_timeout, open: 0, timer: undefined })
    const cold = this.#cold.get(key ?? '')
    if (cold !== undefined) this.#cold.set(id, cold)
    return this.#run(sandbox)
  }

  async pause(id: string, halfway: Halfway): Promise<AgentSandbox> {
    const sandbox = await this.#change(id, { from: ['running'], via: 'pausing' }, halfway)
    return this.#stop(sandbox, 'paused')
  }

  async resume(id: string, halfway: Halfway): Promise<AgentSandbox> {
    this.#assertOpen()
    return this.#run(await this.#change(id, { from: ['paused'], via: 'resuming' }, halfway))
  }

  async snapshot(key: string, id: string, halfway: Halfway): Promise<AgentSnapshot> {
    const made = this.snapshots.get(key)
    if (made) return made
    const from = ['running', 'paused'] as const
    const { template, vcpus, memory_mib } = await this.#change(id, { from, via: 'snapshotting' }, halfway)
    const snapshot = { key, template, vcpus, memory_mib, size_bytes: memory_mib * MIB }
    this.snapshots.set(key, snapshot)
    this.destroy(id)
    return snapshot
  }

  destroy(id: string): void {
    clearTimeout(this.#idle.get(id)?.timer)
    this.#idle.delete(id)
    this.sandboxes.delete(id)
    this.#destroyed.add(id)
  }

  /** As if its VM had ended by itself. */
  fail(id: string, reason: string): void {
    this.#stop(this.find(id), 'failed', reason)
  }

  /** As if it had been idle for its timeout_sec. */
  idleOut(id: string): void {
    const { onTimeout, timeoutSec } = this.#idleOf(id)
    const status = onTimeout === 'pause' ? 'paused' : 'expired'
    this.#stop(this.findRunning(id), status, `It was idle for ${timeoutSec} s.`)
  }

  /** As if the memory of a sandbox or snapshot were lost: its next resume or create boots the disk, and says why. */
  coldNext(idOrKey: string, reason: string): void {
    this.#cold.set(idOrKey, reason)
  }

  touch(id: string): void {
    this.findRunning(id)
    this.#arm(id)
  }

  /** Activity until the function that comes back is called. */
  begin(id: string): () => void {
    const idle = this.#idleOf(id)
    idle.open += 1
    clearTimeout(idle.timer)
    return () => {
      idle.open -= 1
      if (this.#idle.get(id) === idle && this.sandboxes.get(id)?.status === 'running') this.#arm(id)
    }
  }

  async suspend(): Promise<{ paused: number; failed: string[] }> {
    this.#suspended = true
    const running = [...this.sandboxes.values()].filter(({ status }) => status === 'running')
    for (const sandbox of running) this.#stop(sandbox, 'paused', 'The platform was stopped.')
    this.#toResume = running.map(({ id }) => id)
    return { paused: running.length, failed: [] }
  }

  /** As its next process does when it starts. */
  resumeSuspended(): void {
    this.#suspended = false
    for (const id of this.#toResume.splice(0)) {
      const sandbox = this.sandboxes.get(id)
      if (sandbox?.status === 'paused') this.#run(sandbox)
    }
  }

  /** No timer fires any more. */
  clearTimers(): void {
    for (const { timer } of this.#idle.values()) clearTimeout(timer)
  }

  /** The sandbox in transition, once half of it is done. On a failure it is as it was. */
  async #change(
    id: string,
    { from, via }: { from: readonly Status[]; via: Status },
    halfway: Halfway,
  ): Promise<AgentSandbox> {
    const before = this.find(id)
    if (!from.includes(before.status)) throw new AppError('invalid_state', `It is ${before.status}`)
    const changing = { ...before, status: via }
    this.sandboxes.set(id, changing)
    clearTimeout(this.#idle.get(id)?.timer)
    try {
      await halfway()
    } catch (error) {
      if (this.sandboxes.get(id) === changing) {
        this.sandboxes.set(id, before)
        if (before.status === 'running') this.#arm(id)
      }
      throw error
    }
    if (this.sandboxes.get(id) !== changing) throw new AppError('not_found', `${id} was destroyed`)
    return changing
  }

  #run({ status_reason: _reason, ...sandbox }: AgentSandbox): AgentSandbox {
    this.#addresses += 1
    const reason = this.#cold.get(sandbox.id)
    this.#cold.delete(sandbox.id)
    const running: AgentSandbox = {
      ...sandbox,
      status: 'running',
      generation: sandbox.generation + 1,
      guest_ip: '169.254.0.21',
      host_ip: `10.11.0.${this.#addresses}`,
      started_at: new Date().toISOString(),
      ...(reason === undefined ? {} : { status_reason: reason }),
    }
    this.sandboxes.set(sandbox.id, running)
    this.#arm(sandbox.id)
    return running
  }

  #stop(sandbox: AgentSandbox, status: 'paused' | 'failed' | 'expired', reason?: string): AgentSandbox {
    const { id, template, vcpus, memory_mib, generation } = sandbox
    const stopped: AgentSandbox = {
      ...{ id, template, vcpus, memory_mib, status, generation: generation + 1 },
      ...(reason === undefined ? {} : { status_reason: reason }),
    }
    clearTimeout(this.#idle.get(id)?.timer)
    this.sandboxes.set(id, stopped)
    return stopped
  }

  #arm(id: string): void {
    const idle = this.#idleOf(id)
    clearTimeout(idle.timer)
    if (idle.timeoutSec === 0 || idle.open > 0) return
    idle.timer = setTimeout(() => this.idleOut(id), idle.timeoutSec * 1_000).unref()
  }

  /** Tests put sandboxes of their own into the map: those never idle out. */
  #idleOf(id: string): Idle {
    return this.#idle.get(id) ?? { timeoutSec: 0, onTimeout: 'pause', open: 0, timer: undefined }
  }

  #assertFits(key: string, wanted: { vcpus: number; memory_mib: number }): void {
    const snapshot = this.snapshots.get(key)
    if (!snapshot) throw new AppError('not_found', `There is no snapshot ${key}`)
    if (snapshot.vcpus !== wanted.vcpus || snapshot.memory_mib !== wanted.memory_mib)
      throw new AppError('invalid_request', 'vcpus and memory must be those of the snapshot')
  }

  #assertOpen(): void {
    if (this.#suspended) throw new AppError('unavailable', 'The platform is being stopped')
  }
}
