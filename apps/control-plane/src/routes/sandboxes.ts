// /v1/sandboxes: create, list, get, delete, exec, ping.
import type { PublicSchemas } from '@wrenn/contract'
import { createSandbox } from '../services/sandboxes/create.ts'
import type { SandboxDeps } from '../services/sandboxes/deps.ts'
import { destroySandbox } from '../services/sandboxes/destroy.ts'
import { getSandbox, listSandboxes, sandboxRef } from '../services/sandboxes/find.ts'
import { execInSandbox, pingSandbox } from '../services/sandboxes/use.ts'
import type { SandboxRow } from '../store/schema.ts'
import { commandFromWire, resultToWire } from './exec-wire.ts'
import type { PublicHandlers } from './handlers.ts'

type SandboxOperation =
  | 'createSandbox'
  | 'listSandboxes'
  | 'getSandbox'
  | 'destroySandbox'
  | 'execCommand'
  | 'pingSandbox'

export function sandboxHandlers(deps: SandboxDeps): Pick<PublicHandlers, SandboxOperation> {
  return {
    createSandbox: async ({ auth, body, signal, note }) => {
      const { template, vcpus, memory_mb: memoryMb, timeout_sec: timeoutSec } = body
      const request = { teamId: auth.teamId, template, vcpus, memoryMb, timeoutSec }
      const row = await createSandbox(deps, request, signal)
      note({ sandboxId: row.id })
      return { status: 201, body: toWire(row) }
    },
    listSandboxes: async ({ auth }) => {
      const rows = await listSandboxes(deps.db, auth.teamId)
      return { status: 200, body: rows.map(toWire) }
    },
    getSandbox: async ({ auth, params }) => {
      const row = await getSandbox(deps.db, sandboxRef(auth.teamId, params.id))
      return { status: 200, body: toWire(row) }
    },
    destroySandbox: async ({ auth, params }) => {
      await destroySandbox(deps, sandboxRef(auth.teamId, params.id))
      return { status: 204 }
    },
    execCommand: async ({ auth, params, body, signal }) => {
      const ref = sandboxRef(auth.teamId, params.id)
      const result = await execInSandbox(deps, ref, { command: commandFromWire(body), signal })
      return { status: 200, body: resultToWire({ id: ref.id, cmd: body.cmd, result }) }
    },
    pingSandbox: async ({ auth, params }) => {
      await pingSandbox(deps, sandboxRef(auth.teamId, params.id))
      return { status: 204 }
    },
  }
}

function toWire(row: SandboxRow): PublicSchemas['Sandbox'] {
  return {
    id: row.id,
    status: row.status,
    ...(row.statusReason === null ? {} : { status_reason: row.statusReason }),
    template: row.template,
    vcpus: row.vcpus,
    memory_mb: row.memoryMb,
    timeout_sec: row.timeoutSec,
    ...(row.guestIp === null ? {} : { guest_ip: row.guestIp }),
    ...(row.hostIp === null ? {} : { host_ip: row.hostIp }),
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    last_active_at: row.lastActiveAt?.toISOString() ?? null,
    last_updated: row.lastUpdated.toISOString(),
  }
}
