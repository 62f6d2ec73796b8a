// Templates that hosts have for all teams, as their agents last listed them: so that they are known while an agent is
// down, and have a time at which they appeared.
import type { HostId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { BaseTemplateRow } from './schema.ts'

export interface HostTemplate {
  name: string
  hash: string
  sizeBytes: number
}

/** Makes the host's templates these; one with another hash than before is a new one. */
export async function baseTemplatesSet(
  db: Database,
  hostId: HostId,
  templates: readonly HostTemplate[],
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const names = templates.map(({ name }) => name)
    await trx
      .deleteFrom('baseTemplates')
      .where('hostId', '=', hostId)
      .where(sql<boolean>`not name = any(${names}::text[])`)
      .execute()
    for (const template of templates.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      await trx
        .insertInto('baseTemplates')
        .values({ ...template, hostId })
        .onConflict((conflict) =>
          conflict
            .columns(['hostId', 'name'])
            .doUpdateSet({ hash: template.hash, sizeBytes: template.sizeBytes, createdAt: sql`now()` })
            .where('baseTemplates.hash', '<>', template.hash),
        )
        .execute()
    }
  })
}

/** Of all hosts, each name once, by name. */
export async function baseTemplateList(db: Database): Promise<BaseTemplateRow[]> {
  return db
    .selectFrom('baseTemplates')
    .selectAll()
    .distinctOn('name')
    .orderBy('name')
    .orderBy('createdAt', 'desc')
    .execute()
}

export async function baseTemplateIs(db: Database, name: string): Promise<boolean> {
  const row = await db.selectFrom('baseTemplates').select('name').where('name', '=', name).executeTakeFirst()
  return row !== undefined
}
