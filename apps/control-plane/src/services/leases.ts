// What this process has in hand and would leave half done if it died: sandboxes and snapshots that it is creating. Their
// pending rows carry a lease that is renewed all the while; when it runs out, or this process is gone
// (lease-holder.ts), any control plane clears up.
import { pollUntil } from '@wrenn/base'
import type { Lease } from '../store/leases.ts'

export interface LeasesOptions<Id> {
  /** This process, and how long a row stays without it renewing. */
  lease: Lease
  renew: (ids: readonly Id[], leaseSec: number) => Promise<void>
}

export class Leases<Id> {
  readonly lease: Lease
  readonly #renew: LeasesOptions<Id>['renew']
  readonly #held = new Set<Id>()

  constructor({ lease, renew }: LeasesOptions<Id>) {
    this.lease = lease
    this.#renew = renew
  }

  hold(id: Id): void {
    this.#held.add(id)
  }

  release(id: Id): void {
    this.#held.delete(id)
  }

  /** Returns when nothing is in hand, or when the time is over: the leases run out then. */
  async allReleased(timeoutMs: number): Promise<void> {
    const released = (): true | undefined => (this.#held.size === 0 ? true : undefined)
    await pollUntil('creates are undone', released, { timeoutMs }).catch(() => undefined)
  }

  async renew(): Promise<void> {
    if (this.#held.size > 0) await this.#renew([...this.#held], this.lease.leaseSec)
  }
}
