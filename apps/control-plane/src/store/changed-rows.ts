// Rows that were told to have changed, read together for whoever wants to know.
import type { SandboxId, TeamId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { BaseTemplateRow, SandboxRow, SnapshotRow } from './schema.ts'

export async function sandboxesByIds(db: Database, ids: readonly SandboxId[]): Promise<SandboxRow[]> {
  if (ids.length === 0) return []
  return db
    .selectFrom('sandboxes')
    .selectAll()
    .where(sql<boolean>`id = any(${ids}::text[])`)
    .execute()
}

/** The ready snapshots that have one of these names, in one of these teams. */
export async function snapshotsByNames(
  db: Database,
  { teamIds, names }: { teamIds: readonly TeamId[]; names: readonly string[] },
): Promise<SnapshotRow[]> {
  if (names.length === 0) return []
  return db
    .selectFrom('snapshots')
    .selectAll()
    .where(sql<boolean>`team_id = any(${teamIds}::text[]) and name = any(${names}::text[])`)
    .where(sql<boolean>`status = 'ready'`)
    .execute()
}

/** As lists have them: one for each name, of whichever host's is the newest. */
export async function baseTemplatesByNames(
  db: Database,
  names: readonly string[],
): Promise<BaseTemplateRow[]> {
  if (names.length === 0) return []
  return db
    .selectFrom('baseTemplates')
    .selectAll()
    .distinctOn('name')
    .where(sql<boolean>`name = any(${names}::text[])`)
    .orderBy('name')
    .orderBy('createdAt', 'desc')
    .execute()
}
