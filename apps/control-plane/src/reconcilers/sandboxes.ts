// Compares what the database says with what the agent has, and makes them agree. Takes no input and may run twice, or
// beside another control plane's: every change is a compare-and-set or idempotent.
//
// The order of reading makes creates and deletes in flight safe. A row is written before its sandbox is made: so rows
// read after the agent's list know every sandbox of that list. A row is running after its sandbox was made: so a list
// read after the rows holds every sandbox of those rows.
import { errorText, type Logger, type SandboxId } from '@wrenn/base'
import type { AgentSandbox } from '../hosts/agent.ts'
import type { Host, Hosts } from '../hosts/hosts.ts'
import type { Database } from '../store/database.ts'
import { reportOf } from '../services/sandboxes/reports.ts'
import { sandboxApply } from '../store/sandbox-reports.ts'
import {
  sandboxEnd,
  sandboxesForgetAbandoned,
  sandboxesOfHost,
  type KnownSandbox,
} from '../store/sandboxes.ts'

export interface ReconcileDeps {
  db: Database
  hosts: Hosts
  logger: Logger
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
  if (!(await sandboxEnd(db, id, { from: ['running', 'paused'], to: 'stopped', reason }))) return
  logger.warn({ op: 'reconcile', outcome: 'stopped', sandboxId: id, reason })
}

async function destroyOrphan({ logger }: ReconcileDeps, host: Host, id: SandboxId): Promise<void> {
  try {
    await host.agent.destroySandbox(id)
    logger.info({ op: 'reconcile', outcome: 'orphan destroyed', sandboxId: id })
  } catch (error) {
    logger.warn({ op: 'reconcile', outcome: 'orphan not destroyed', sandboxId: id, reason: errorText(error) })
  }
}
