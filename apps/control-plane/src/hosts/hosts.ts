// The hosts that this control plane can reach: by now the one whose agent is configured. Who it is and what it has is
// asked when first needed and refreshed by the reconciler.
import { AppError, type HostId } from '@wrenn/base'
import type { Database } from '../store/database.ts'
import { hostEnsure } from '../store/hosts.ts'
import { baseTemplatesSet } from '../store/base-templates.ts'
import type { Agent, AgentTemplate } from './agent.ts'

export interface Host {
  id: HostId
  instanceId: string
  cpuCores: number
  memoryMib: number
  agent: Agent
}

export class Hosts {
  readonly #db: Database
  readonly #agent: Agent
  #host: Host | undefined
  /** As they were last written. */
  #templates = ''

  constructor(db: Database, agent: Agent) {
    this.#db = db
    this.#agent = agent
  }

  /** The hosts that have answered at least once. Throws `unavailable` when none has and none does now. */
  async all(): Promise<Host[]> {
    return [this.#host ?? (await this.refresh())]
  }

  /** Throws `unavailable` when the host is not one that this control plane can reach. */
  async byId(id: HostId): Promise<Host> {
    const host = (await this.all()).find((host) => host.id === id)
    if (host) return host
    throw new AppError('unavailable', 'The host of this sandbox is not connected', { retryAfterSec: 5 })
  }

  /** Asks the agent who it is and what it has. */
  async refresh(): Promise<Host> {
    const [health, templates] = await Promise.all([this.#agent.health(), this.#agent.listTemplates()])
    const known = this.#host?.instanceId === health.instance_id ? this.#host.id : undefined
    this.#host = {
      id: known ?? (await hostEnsure(this.#db, health.instance_id)),
      instanceId: health.instance_id,
      cpuCores: health.cpu_cores,
      memoryMib: health.memory_mib,
      agent: this.#agent,
    }
    await this.#keepTemplates(this.#host.id, templates)
    return this.#host
  }

  async #keepTemplates(id: HostId, templates: readonly AgentTemplate[]): Promise<void> {
    const current = JSON.stringify([id, templates])
    if (current === this.#templates) return
    await baseTemplatesSet(
      this.#db,
      id,
      templates.map(({ name, hash, size_bytes: sizeBytes }) => ({ name, hash, sizeBytes })),
    )
    this.#templates = current
  }
}
