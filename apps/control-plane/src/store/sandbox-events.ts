// What has happened to a sandbox. Written by a trigger (migrations/0012) and nothing else.
import type { SandboxId } from '@wrenn/base'
import type { Database } from './database.ts'
import type { SandboxEventRow } from './schema.ts'

/** Newest first. `before`: only those older than the event with this id. */
export async function sandboxEventList(
  db: Database,
  sandboxId: SandboxId,
  { limit, before }: { limit: number; before: string | undefined },
): Promise<SandboxEventRow[]> {
  let query = db
    .selectFrom('sandboxEvents')
    .selectAll()
    .where('sandboxId', '=', sandboxId)
    .orderBy('id', 'desc')
    .limit(limit)
  if (before !== undefined) query = query.where('id', '<', before)
  return query.execute()
}
