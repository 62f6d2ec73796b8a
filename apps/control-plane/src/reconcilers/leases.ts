// Ends the leases of control planes that were killed on this machine, and of what failed here while the database was away,
// so that it is cleared up now and not when they run out. Takes no input, and may run twice or beside another control plane's. Not only at the start: a
// query of a killed one may be done after that, and a living neighbour need not wait for its successor.
import type { Logger } from '@wrenn/base'
import { isDeadHolder } from '../services/lease-holder.ts'
import type { Database } from '../store/database.ts'
import { leaseHolders, leasesEnd } from '../store/leases.ts'

export interface ReconcileLeasesDeps {
  db: Database
  logger: Logger
  reconcileSoon: () => void
}

/** Throws when the database does not answer. */
export async function reconcileLeases({ db, logger, reconcileSoon }: ReconcileLeasesDeps): Promise<void> {
  const dead = (await leaseHolders(db)).filter(isDeadHolder)
  if (dead.length === 0) return
  await leasesEnd(db, dead)
  logger.info({ op: 'reconcileLeases', outcome: 'ended', holders: dead })
  reconcileSoon()
}
