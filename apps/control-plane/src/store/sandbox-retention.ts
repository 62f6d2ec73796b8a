// Sandboxes that are paused for long. One that is being resumed is none of them.
import type { HostId, SandboxId, TeamId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'

interface LongPaused {
  id: SandboxId
  teamId: TeamId
}

const inUse = sql`coalesce(reserved_until > now(), false)`

/** Those that have `warnSec` or less to go, each once. */
export async function sandboxesWarnLongPaused(
  db: Database,
  hostId: HostId,
  { retentionSec, warnSec }: { retentionSec: number; warnSec: number },
): Promise<(LongPaused & { endsAt: Date })[]> {
  return db
    .updateTable('sandboxes')
    .set({ retentionWarnedAt: sql<Date>`now()` })
    .where('hostId', '=', hostId)
    .where('status', '=', 'paused')
    .where('retentionWarnedAt', 'is', null)
    .where('pausedAt', '<', sql<Date>`now() - make_interval(secs => ${retentionSec - warnSec})`)
    .returning(['id', 'teamId'])
    .returning(sql<Date>`paused_at + make_interval(secs => ${retentionSec})`.as('endsAt'))
    .execute()
}

/** Stops those whose time is over. */
export async function sandboxesEndLongPaused(
  db: Database,
  hostId: HostId,
  { retentionSec, reason }: { retentionSec: number; reason: string },
): Promise<LongPaused[]> {
  return db
    .updateTable('sandboxes')
    .set({
      status: 'stopped',
      statusReason: reason,
      pausedAt: null,
      actor: null,
      lastUpdated: sql<Date>`now()`,
    })
    .where('hostId', '=', hostId)
    .where('status', '=', 'paused')
    .where('pausedAt', '<', sql<Date>`now() - make_interval(secs => ${retentionSec})`)
    .where(sql<boolean>`not ${inUse}`)
    .returning(['id', 'teamId'])
    .execute()
}
