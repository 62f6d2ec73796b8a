// The host agent as the control plane sees it: its API with our names, and a deadline on every call.
import type { SandboxId, SnapshotId } from '@wrenn/base'
import type { Contract, HostAgentApi, HostAgentSchemas } from '@wrenn/contract'
import { ContractClient } from '@wrenn/http'
import { GuestAgent, type GuestDeadlines } from './guest-agent.ts'
import { within } from './within.ts'

export type AgentHealth = HostAgentSchemas['Health']
export type AgentSandbox = HostAgentSchemas['Sandbox']
export type AgentSnapshot = HostAgentSchemas['Snapshot']
export type AgentTemplate = HostAgentSchemas['Template']

export interface SandboxSpec {
  id: SandboxId
  /** The base template. */
  template: string
  /** What it starts from; left out: the base template. */
  snapshot?: SnapshotId
  vcpus: number
  memoryMib: number
  /** 0: never. */
  timeoutSec: number
  onTimeout: 'pause' | 'destroy'
}

export interface AgentDeadlines extends GuestDeadlines {
  healthMs: number
  /** The first create of a template boots it, under emulation for minutes. */
  createMs: number
  destroyMs: number
  /** Of a pause, resume or snapshot: it writes or reads all of a VM's memory, on disks of any speed. */
  changeMs: number
}

const defaultDeadlines: AgentDeadlines = {
  healthMs: 1_000,
  listMs: 5_000,
  createMs: 300_000,
  destroyMs: 15_000,
  changeMs: 300_000,
  execMarginMs: 30_000,
  lookMs: 65_000,
}

export interface AgentOptions {
  socketPath: string
  contract: Contract<HostAgentApi>
  deadlines?: Partial<AgentDeadlines>
}

export class Agent {
  /** What happens in its sandboxes. */
  readonly guest: GuestAgent
  readonly #client: ContractClient<HostAgentApi>
  readonly #deadlines: AgentDeadlines

  constructor({ socketPath, contract, deadlines }: AgentOptions) {
    this.#client = new ContractClient({ contract, peer: 'The host agent', target: { socketPath } })
    this.#deadlines = { ...defaultDeadlines, ...deadlines }
    this.guest = new GuestAgent(this.#client, this.#deadlines)
  }

  async health(): Promise<AgentHealth> {
    return within(this.#deadlines.healthMs, undefined, (signal) => this.#client.call('health', { signal }))
  }

  async listTemplates(): Promise<AgentTemplate[]> {
    return within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('listTemplates', { signal }),
    )
  }

  async listSnapshots(): Promise<AgentSnapshot[]> {
    return within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('listSnapshots', { signal }),
    )
  }

  /** The sandbox is gone afterwards; on any failure that the agent tells of, it is as it was. May be repeated. */
  async createSnapshot(key: SnapshotId, sandboxId: SandboxId): Promise<AgentSnapshot> {
    const input = { params: { key }, body: { sandbox_id: sandboxId } }
    return within(this.#deadlines.changeMs, undefined, (signal) =>
      this.#client.call('createSnapshot', { ...input, signal }),
    )
  }

  /** Fine also when there is none. */
  async deleteSnapshot(key: SnapshotId): Promise<void> {
    const params = { key }
    await within(this.#deadlines.destroyMs, undefined, (signal) =>
      this.#client.call('deleteSnapshot', { params, signal }),
    )
  }

  async listSandboxes(): Promise<AgentSandbox[]> {
    return within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('listSandboxes', { signal }),
    )
  }

  async createSandbox(
    { memoryMib, timeoutSec, onTimeout, ...rest }: SandboxSpec,
    signal: AbortSignal,
  ): Promise<AgentSandbox> {
    const body = { ...rest, memory_mib: memoryMib, timeout_sec: timeoutSec, on_timeout: onTimeout }
    return within(this.#deadlines.createMs, signal, (signal) =>
      this.#client.call('createSandbox', { body, signal }),
    )
  }

  /** Fine also when there is none. */
  async destroySandbox(id: SandboxId): Promise<void> {
    const params = { id }
    await within(this.#deadlines.destroyMs, undefined, (signal) =>
      this.#client.call('destroySandbox', { params, signal }),
    )
  }

  async getSandbox(id: SandboxId): Promise<AgentSandbox> {
    const params = { id }
    return within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('getSandbox', { params, signal }),
    )
  }

  /** On any failure that the agent tells of, the sandbox runs on. */
  async pauseSandbox(id: SandboxId): Promise<AgentSandbox> {
    const params = { id }
    return within(this.#deadlines.changeMs, undefined, (signal) =>
      this.#client.call('pauseSandbox', { params, signal }),
    )
  }

  /** On any failure that the agent tells of, the sandbox stays paused. */
  async resumeSandbox(id: SandboxId): Promise<AgentSandbox> {
    const params = { id }
    return within(this.#deadlines.changeMs, undefined, (signal) =>
      this.#client.call('resumeSandbox', { params, signal }),
    )
  }

  /** Begins the idle time anew. */
  async touchSandbox(id: SandboxId): Promise<void> {
    const params = { id }
    await within(this.#deadlines.listMs, undefined, (signal) =>
      this.#client.call('touchSandbox', { params, signal }),
    )
  }

  close(): void {
    this.#client.close()
  }
}
