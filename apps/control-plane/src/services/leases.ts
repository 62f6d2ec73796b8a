// What this process has in hand and would leave half done if it died: sandboxes and snapshots that it is creating. Their
// pending rows carry a lease that is renewed all the while; when it runs out, or its holder is known to be gone
// (lease-holder.ts), any control plane clears up.
import { pollUntil } from '@wrenn/base'
import type { Lease } from '../store/leases.ts'
import { beginHolder, endHolder } from './lease-holder.ts'

export interface LeasesOptions<Id> {
  /** How long a row stays without its creator renewing. */
  leaseSec: number
  renew: (ids: readonly Id[], leaseSec: number) => Promise<void>
}

export class Leases<Id> {
  readonly leaseSec: number
  readonly #renew: LeasesOptions<Id>['renew']
  readonly #held = new Map<Id, Lease>()

  constructor({ leaseSec, renew }: LeasesOptions<Id>) {
    this.leaseSec = leaseSec
    this.#renew = renew
  }

  /** To be taken before the row is written. */
  hold(id: Id): Lease {
    const lease = { holder: beginHolder(), leaseSec: this.leaseSec }
    this.#held.set(id, lease)
    return lease
  }

  release(id: Id): void {
    const lease = this.#held.get(id)
    if (lease) endHolder(lease.holder)
    this.#held.delete(id)
  }

  /** Returns when nothing is in hand, or when the time is over: the leases run out then. */
  async allReleased(timeoutMs: number): Promise<void> {
    const released = (): true | undefined => (this.#held.size === 0 ? true : undefined)
    await pollUntil('creates are undone', released, { timeoutMs }).catch(() => undefined)
  }

  async renew(): Promise<void> {
    if (this.#held.size > 0) await this.#renew([...this.#held.keys()], this.leaseSec)
  }
}
