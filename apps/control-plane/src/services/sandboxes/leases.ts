// The creates that this process has in hand. Their pending rows carry a lease that is renewed while the create goes on;
// when the process dies the lease runs out, and any control plane clears up.
import { pollUntil, type SandboxId } from '@wrenn/base'
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

  /** Returns when no create is in hand, or when the time is over: their leases run out then. */
  async allReleased(timeoutMs: number): Promise<void> {
    const released = (): true | undefined => (this.#held.size === 0 ? true : undefined)
    await pollUntil('creates are undone', released, { timeoutMs }).catch(() => undefined)
  }

  async renew(db: Database): Promise<void> {
    if (this.#held.size > 0) await sandboxesRenewLeases(db, [...this.#held], this.leaseSec)
  }
}
