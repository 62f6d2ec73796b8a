// /v1/snapshots: create, list, delete.
import type { PublicSchemas } from '@wrenn/contract'
import { actorOf } from '../auth/authenticate.ts'
import { once, type KeepAnswer } from '../services/idempotency.ts'
import { sandboxRef } from '../services/sandboxes/find.ts'
import { createSnapshot } from '../services/snapshots/create.ts'
import type { SnapshotDeps } from '../services/snapshots/deps.ts'
import { deleteSnapshot, listTemplates } from '../services/snapshots/templates.ts'
import type { Database } from '../store/database.ts'
import type { BaseTemplateRow, SnapshotRow } from '../store/schema.ts'
import type { PublicHandlers } from './handlers.ts'

type SnapshotOperation = 'createSnapshot' | 'listSnapshots' | 'deleteSnapshot'
type Template = PublicSchemas['Template']

export function snapshotHandlers(deps: SnapshotDeps): Pick<PublicHandlers, SnapshotOperation> {
  return {
    createSnapshot: async ({ auth, body, query, headers, signal, note }) => {
      const { teamId } = auth
      const { id: sandboxId } = sandboxRef(teamId, body.sandbox_id)
      const key = headers['Idempotency-Key']
      const overwrite = query.overwrite === 'true'
      const request = {
        teamId,
        actor: actorOf(auth),
        sandboxId,
        name: body.name,
        overwrite,
        idempotencyKey: key,
      }
      const create = async (keep?: KeepAnswer<Template>): Promise<Template> => {
        const alongside = keep && ((trx: Database, row: SnapshotRow) => keep(trx, snapshotToWire(row)))
        return snapshotToWire(await createSnapshot(deps, request, { alongside }))
      }
      const { leaseSec } = deps.snapshotLeases
      const whole = { snapshot: body, overwrite }
      note({ sandboxId })
      const template = await (key === undefined
        ? create()
        : once({ ...deps, leaseSec }, { teamId, key, request: whole, signal }, create))
      return { status: 201, body: template }
    },
    listSnapshots: async ({ auth, query }) => {
      const { base, snapshots } = await listTemplates(deps.db, auth.teamId, query.type)
      return { status: 200, body: [...base.map(baseToWire), ...snapshots.map(snapshotToWire)] }
    },
    deleteSnapshot: async ({ auth, params }) => {
      await deleteSnapshot(deps, auth.teamId, params.name)
      return { status: 204 }
    },
  }
}

export function snapshotToWire(row: SnapshotRow): Template {
  return {
    name: row.name,
    type: 'snapshot',
    vcpus: row.vcpus,
    memory_mb: row.memoryMb,
    size_bytes: Number(row.sizeBytes),
    created_at: row.createdAt.toISOString(),
  }
}

export function baseToWire(row: BaseTemplateRow): Template {
  return {
    name: row.name,
    type: 'base',
    vcpus: null,
    memory_mb: null,
    size_bytes: Number(row.sizeBytes),
    created_at: row.createdAt.toISOString(),
  }
}
