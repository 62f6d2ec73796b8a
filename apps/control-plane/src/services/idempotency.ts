// The same request twice, done once: the answer of the first is kept for 24 hours under the team's Idempotency-Key, in
// the transaction that makes it true. While the first runs, others with the key wait for it, on any control plane; when
// it fails, or its control plane dies, one of them takes its place.
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, errorText, type Logger, type TeamId } from '@wrenn/base'
import type { Database } from '../store/database.ts'
import {
  idempotencyClaim,
  idempotencyFind,
  idempotencyFinish,
  idempotencyRelease,
  idempotencyRenew,
  type IdempotencyClaim,
} from '../store/idempotency-keys.ts'
import type { Lease } from '../store/leases.ts'
import { beginHolder, endHolder } from './lease-holder.ts'

export interface IdempotencyDeps {
  db: Database
  logger: Logger
  /** How long a key stays with a control plane that died, when nobody knows that it did. */
  leaseSec: number
}

export interface IdempotentRequest {
  teamId: TeamId
  key: string
  /** Everything that makes it this request and no other. */
  request: unknown
  signal: AbortSignal
}

/** Keeps the answer; to be called in the transaction that ends the work. */
export type KeepAnswer<T> = (transaction: Database, answer: T) => Promise<void>

const pollMs = 50

interface Leased extends IdempotencyDeps {
  lease: Lease
}

/** Runs `work`, or returns what it answered before. Throws `idempotency_conflict` when the key had another request. */
export async function once<T>(
  deps: IdempotencyDeps,
  request: IdempotentRequest,
  work: (keep: KeepAnswer<T>) => Promise<T>,
): Promise<T> {
  const lease = { holder: beginHolder(), leaseSec: deps.leaseSec }
  try {
    return await onceLeased({ ...deps, lease }, request, work)
  } finally {
    endHolder(lease.holder)
  }
}

async function onceLeased<T>(
  deps: Leased,
  { teamId, key, request, signal }: IdempotentRequest,
  work: (keep: KeepAnswer<T>) => Promise<T>,
): Promise<T> {
  const claim: IdempotencyClaim = { teamId, key, claim: randomUUID() }
  const requestHash = createHash('sha256').update(canonicalJson(request)).digest()
  while (!(await idempotencyClaim(deps.db, claim, { requestHash, lease: deps.lease }))) {
    const found = await idempotencyFind(deps.db, claim)
    if (found && !found.requestHash.equals(requestHash))
      throw new AppError('idempotency_conflict', 'This Idempotency-Key was used with another request')
    if (found && found.answer !== null) return found.answer as T
    await sleep(pollMs, undefined, { signal })
  }
  return runClaimed(deps, claim, work)
}

async function runClaimed<T>(
  { db, logger, leaseSec }: Leased,
  claim: IdempotencyClaim,
  work: (keep: KeepAnswer<T>) => Promise<T>,
): Promise<T> {
  const warn = (outcome: string) => (error: unknown) =>
    logger.warn({ op: 'idempotencyKey', outcome, teamId: claim.teamId, reason: errorText(error) })
  const renewal = setInterval(
    () => void idempotencyRenew(db, claim, leaseSec).catch(warn('not renewed')),
    (leaseSec * 1_000) / 3,
  )
  try {
    return await work((transaction, answer) => idempotencyFinish(transaction, claim, answer))
  } catch (error) {
    await idempotencyRelease(db, claim).catch(warn('not released'))
    throw error
  } finally {
    clearInterval(renewal)
  }
}

/** The same text for the same value, whatever the order of its fields. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
