// Compares what the database says with what the agent has, and makes them agree. Takes no input and may run twice, or
// beside another control plane's: every change is a compare-and-set or idempotent.
//
// The order of reading makes creates and deletes in flight safe. A row is written before its sandbox is made: so rows
// read after the agent's list know every sandbox of that list. A row is running after its sandbox was made: so a list
// read after the rows holds every sandbox of those rows.
import { errorText, type Logger, type SandboxId, type TeamLimits } from '@wrenn/base'
import type { AgentSandbox } from '../hosts/agent.ts'
import type { Host, Hosts } from '../hosts/hosts.ts'
import type { Database } from '../store/database.ts'
import { reportOf } from '../services/sandboxes/reports.ts'
import { sandboxApply } from '../store/sandbox-reports.ts'
import { sandboxesEndLongPaused, sandboxesWarnLongPaused } from '../store/sandbox-retention.ts'
import {
  sandboxEndLost,
  sandboxesForgetAbandoned,
  sandboxesOfHost,
  type KnownSandbox,
} from '../store/sandboxes.ts'

const daySec = 86_400

export interface ReconcileDeps {
  db: Database
  hosts: Hosts
  logger: Logger
  limits: TeamLimits
}

/** One comparison. Throws when the database or the agent does not answer. */
export async function reconcileSandboxes(deps: ReconcileDeps): Promise<void> {
  await reconcileHost(deps, await deps.hosts.refresh())
}

async function reconcileHost(deps: ReconcileDeps, host: Host): Promise<void> {
  const { db, logger } = deps
  const before = await sandboxesOfHost(db, host.id)
  const present = new Map((await host.agent.listSandboxes()).map((sandbox) => [sandbox.id, sandbox]))
  for (const row of before) {
    const sandbox = present.get(row.id)
    if (sandbox) await showReport(deps, row, sandbox)
    // Only what was there when the row was read: a pending one may have been made since the list.
    else if (row.status === 'running' || row.status === 'paused') await endLost(deps, row)
  }
  if (deps.limits.pausedRetentionSec !== undefined)
    await endLongPaused(deps, host, deps.limits.pausedRetentionSec)
  for (const id of await sandboxesForgetAbandoned(db, host.id)) {
    logger.info({ op: 'reconcile', outcome: 'abandoned create removed', sandboxId: id })
  }
  const wanted = new Set<string>((await sandboxesOfHost(db, host.id)).map(({ id }) => id))
  const orphans = [...present.values()].filter(({ id, status }) => !wanted.has(id) && status !== 'destroying')
  await Promise.all(orphans.map(({ id }) => destroyOrphan(deps, host, id as SandboxId)))
}

async function showReport(
  { db, logger }: ReconcileDeps,
  row: KnownSandbox,
  sandbox: AgentSandbox,
): Promise<void> {
  const report = reportOf(sandbox, row)
  if (!report || report.generation <= Number(row.generation)) return
  if (!(await sandboxApply(db, report))) return
  const { status: outcome, reason } = report
  logger[outcome === 'error' ? 'warn' : 'info']({ op: 'reconcile', outcome, sandboxId: row.id, reason })
}

async function endLost({ db, logger }: ReconcileDeps, { id }: KnownSandbox): Promise<void> {
  const reason = 'Its host does not have it any more.'
  if (!(await sandboxEndLost(db, id, reason))) return
  logger.warn({ op: 'reconcile', outcome: 'stopped', sandboxId: id, reason })
}

/** What is paused for too long is stopped, and then destroyed like everything that is. The log warns before. */
async function endLongPaused({ db, logger }: ReconcileDeps, host: Host, retentionSec: number): Promise<void> {
  const days = (retentionSec / daySec).toFixed(1)
  const warnSec = Math.min(daySec, retentionSec / 2)
  for (const { id, teamId, endsAt } of await sandboxesWarnLongPaused(db, host.id, {
    retentionSec,
    warnSec,
  })) {
    const warning = `It will be destroyed at ${endsAt.toISOString()}: paused for ${days} days by then`
    logger.warn({ op: 'retention', outcome: 'soon', sandboxId: id, teamId, warning })
  }
  const reason = `It was paused for more than ${days} days, the retention of this platform.`
  for (const { id, teamId } of await sandboxesEndLongPaused(db, host.id, { retentionSec, reason }))
    logger.warn({ op: 'retention', outcome: 'destroyed', sandboxId: id, teamId, reason })
}

async function destroyOrphan({ logger }: ReconcileDeps, host: Host, id: SandboxId): Promise<void> {
  try {
    await host.agent.destroySandbox(id)
    logger.info({ op: 'reconcile', outcome: 'orphan destroyed', sandboxId: id })
  } catch (error) {
    logger.warn({ op: 'reconcile', outcome: 'orphan not destroyed', sandboxId: id, reason: errorText(error) })
  }
}
