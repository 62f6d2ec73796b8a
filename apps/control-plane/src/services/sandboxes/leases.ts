// The creates that this process has in hand. Their pending rows carry a lease that is renewed while the create goes on;
// when the process dies the lease runs out, and any control plane clears up.
import type { SandboxId } from '@wrenn/base'
import type { Database } from '../../store/database.ts'
import { sandboxesRenewLeases } from '../../store/sandboxes.ts'

export class CreateLeases {
  /** How long a row stays without its creator renewing. */
  readonly leaseSec: number
  readonly #held = new Set<SandboxId>()

  constructor(leaseSec: number) {
    this.leaseSec = leaseSec
  }

  hold(id: SandboxId): void {
    this.#held.add(id)
  }

  release(id: SandboxId): void {
    this.#held.delete(id)
  }

  /** No create is in hand. */
  get idle(): boolean {
    return this.#held.size === 0
  }

  async renew(db: Database): Promise<void> {
    if (this.#held.size > 0) await sandboxesRenewLeases(db, [...this.#held], this.leaseSec)
  }
}
