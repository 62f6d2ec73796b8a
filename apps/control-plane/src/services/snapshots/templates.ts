// The templates of a team: the platform's base templates and its own snapshots.
import { AppError, errorText, type TeamId } from '@wrenn/base'
import { baseTemplateIs, baseTemplateList } from '../../store/base-templates.ts'
import type { Database } from '../../store/database.ts'
import type { BaseTemplateRow, SnapshotRow } from '../../store/schema.ts'
import { snapshotDelete, snapshotForget, snapshotList } from '../../store/snapshots.ts'
import type { SnapshotDeps } from './deps.ts'

/** Known also while no agent answers. */
export async function listTemplates(
  db: Database,
  teamId: TeamId,
  type: 'base' | 'snapshot' | undefined,
): Promise<{ base: BaseTemplateRow[]; snapshots: SnapshotRow[] }> {
  const [base, snapshots] = await Promise.all([
    type === 'snapshot' ? [] : baseTemplateList(db),
    type === 'base' ? [] : snapshotList(db, teamId),
  ])
  return { base, snapshots }
}

/**
 * Nothing is made from it any more when this returns; its files go at once, or when their agent answers again. Throws
 * `not_found`, and `forbidden` when it is a base template.
 */
export async function deleteSnapshot(deps: SnapshotDeps, teamId: TeamId, name: string): Promise<void> {
  const { db } = deps
  const row = isName(name) ? await snapshotDelete(db, teamId, name) : undefined
  if (!row) throw await noSnapshot(db, name)
  try {
    const { agent } = await deps.hosts.byId(row.hostId)
    await agent.deleteSnapshot(row.id)
    await snapshotForget(db, row.id)
  } catch (error) {
    const reason = errorText(error)
    deps.logger.warn({ op: 'deleteSnapshot', outcome: 'later', snapshotId: row.id, reason })
    deps.reconcileSoon()
  }
}

/** As the contract has it for creates. Anything else names nothing, and may be what Postgres takes for no text. */
function isName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/.test(text)
}

async function noSnapshot(db: Database, name: string): Promise<AppError> {
  if (isName(name) && (await baseTemplateIs(db, name)))
    return new AppError('forbidden', `${name} is a base template, which cannot be deleted`)
  return new AppError('not_found', `There is no snapshot ${name.slice(0, 64)}`)
}
