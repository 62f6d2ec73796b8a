// What agents report of sandboxes, applied to rows. Reports may come in any order, from request paths and reconcilers of
// several control planes: the generation decides which is the newest.
import type { SandboxId } from '@wrenn/base'
import type { SandboxStatus } from '@wrenn/contract/sandbox-can'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { Actor, SandboxRow } from './schema.ts'

export interface SandboxReport {
  id: SandboxId
  generation: number
  status: Exclude<SandboxStatus, 'pending'>
  reason: string | null
  guestIp: string | null
  hostIp: string | null
}

const now = sql<Date>`now()`

/**
 * The row as the report says. Undefined, and nothing is changed, when the row shows this or a newer one already, or the
 * sandbox is stopped or not made yet. `actor`: who asked for what is reported; when left out, whoever the row names.
 */
export async function sandboxApply(
  db: Database,
  report: SandboxReport,
  actor?: Actor,
): Promise<SandboxRow | undefined> {
  const { id, generation, status, reason, guestIp, hostIp } = report
  // What has a reason of its own and does not run was asked for by nobody.
  const byItself = status !== 'running' && reason !== null
  const starts = sql<boolean>`status <> 'running'`
  return db
    .updateTable('sandboxes')
    .set({
      generation,
      status,
      statusReason: reason,
      guestIp,
      hostIp,
      pausedAt: status === 'paused' ? now : null,
      ...(status === 'running'
        ? {
            startedAt: sql<Date>`case when ${starts} then now() else started_at end`,
            lastActiveAt: sql<Date>`case when ${starts} then now() else last_active_at end`,
          }
        : {}),
      ...(byItself ? { actor: null } : actor ? { actor: JSON.stringify(actor) } : {}),
      lastUpdated: now,
      reserved: null,
      reservedUntil: null,
      retentionWarnedAt: null,
    })
    .where('id', '=', id)
    .where('generation', '<', String(generation))
    .where('status', 'in', ['running', 'paused', 'error'])
    .returningAll()
    .executeTakeFirst()
}
