// Hosts, known by the instance id of their agent.
import { newId, type HostId } from '@wrenn/base'
import { sql } from 'kysely'
import type { Database } from './database.ts'

/** The id of the host whose agent has this instance id; the host is entered when it is new. */
export async function hostEnsure(db: Database, instanceId: string): Promise<HostId> {
  const { id } = await db
    .insertInto('hosts')
    .values({ id: newId('host'), instanceId })
    // An update that changes nothing: `do nothing` would return no row when another control plane was quicker.
    .onConflict((conflict) =>
      conflict.column('instanceId').doUpdateSet({ instanceId: sql`excluded.instance_id` }),
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}
