// /v1/sandboxes: create, list, get, delete, exec, ping, pause, resume, metrics.
import type { PublicApi, PublicSchemas, Query } from '@wrenn/contract'
import { actorOf } from '../auth/authenticate.ts'
import { createSandbox } from '../services/sandboxes/create.ts'
import type { SandboxDeps } from '../services/sandboxes/deps.ts'
import { destroySandbox } from '../services/sandboxes/destroy.ts'
import { sandboxMetrics } from '../services/sandboxes/metrics.ts'
import { pauseSandbox, resumeSandbox } from '../services/sandboxes/pause.ts'
import { getSandbox, listSandboxes, sandboxRef } from '../services/sandboxes/find.ts'
import { execInSandbox, pingSandbox } from '../services/sandboxes/use.ts'
import { once, type KeepAnswer } from '../services/idempotency.ts'
import type { RateLimiter } from '../services/rate-limiter.ts'
import type { Database } from '../store/database.ts'
import type { SandboxRow } from '../store/schema.ts'
import { commandFromWire, resultToWire } from './exec-wire.ts'
import type { PublicHandlers } from './handlers.ts'
import { countUse } from './rate-limits.ts'

type SandboxOperation =
  | 'createSandbox'
  | 'listSandboxes'
  | 'getSandbox'
  | 'destroySandbox'
  | 'execCommand'
  | 'pingSandbox'
  | 'pauseSandbox'
  | 'resumeSandbox'
  | 'getMetrics'

type Sandbox = PublicSchemas['Sandbox']
type ListQuery = Query<PublicApi['operations']['listSandboxes']>

export function sandboxHandlers(
  deps: SandboxDeps & { limiter: RateLimiter | undefined },
): Pick<PublicHandlers, SandboxOperation> {
  return {
    createSandbox: async ({ auth, body, given: has, headers, signal, note, appendHeader }) => {
      await countUse(deps.limiter, { name: 'creates', who: auth.teamId }, appendHeader)
      const { template, vcpus, metadata = {} } = body
      const { memory_mb: memoryMb, timeout_sec: timeoutSec, on_timeout: onTimeout } = body
      const given = { vcpus: has.has('vcpus'), memoryMb: has.has('memory_mb') }
      const size = { given, vcpus, memoryMb }
      const who = { teamId: auth.teamId, actor: actorOf(auth) }
      const request = { ...who, template, ...size, timeoutSec, onTimeout, metadata }
      const create = async (keep?: KeepAnswer<Sandbox>): Promise<Sandbox> => {
        const alongside = keep && ((trx: Database, row: SandboxRow) => keep(trx, sandboxToWire(row)))
        return sandboxToWire(await createSandbox(deps, request, { signal, alongside }))
      }
      const key = headers['Idempotency-Key']
      const { leaseSec } = deps.leases
      const sandbox = await (key === undefined
        ? create()
        : once({ ...deps, leaseSec }, { teamId: auth.teamId, key, request: body, signal }, create))
      note({ sandboxId: sandbox.id })
      return { status: 201, body: sandbox }
    },
    listSandboxes: async ({ auth, query }) => {
      const { rows, next } = await listSandboxes(deps.db, auth.teamId, query)
      const headers = next === undefined ? {} : { link: nextLink(query, next) }
      return { status: 200, headers, body: rows.map(sandboxToWire) }
    },
    getSandbox: async ({ auth, params }) => {
      const row = await getSandbox(deps.db, sandboxRef(auth.teamId, params.id))
      return { status: 200, body: sandboxToWire(row) }
    },
    destroySandbox: async ({ auth, params }) => {
      await destroySandbox(deps, sandboxRef(auth.teamId, params.id), actorOf(auth))
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
    pauseSandbox: async ({ auth, params }) => {
      const row = await pauseSandbox(deps, sandboxRef(auth.teamId, params.id), actorOf(auth))
      return { status: 200, body: sandboxToWire(row) }
    },
    resumeSandbox: async ({ auth, params }) => {
      const row = await resumeSandbox(deps, sandboxRef(auth.teamId, params.id), actorOf(auth))
      return { status: 200, body: sandboxToWire(row) }
    },
    getMetrics: async ({ auth, params, signal }) => ({
      status: 200,
      body: await sandboxMetrics(deps, sandboxRef(auth.teamId, params.id), signal),
    }),
  }
}

/** RFC 8288, section 3: a relative reference, so that it is right behind any proxy. */
function nextLink({ status, limit, metadata = {} }: ListQuery, cursor: string): string {
  const pairs = Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value])
  const parameters = new URLSearchParams([
    ...(status === undefined ? [] : [['status', status]]),
    ...pairs,
    ['limit', String(limit)],
    ['cursor', cursor],
  ] as [string, string][])
  return `</v1/sandboxes?${parameters.toString()}>; rel="next"`
}

export function sandboxToWire(row: SandboxRow): Sandbox {
  return {
    id: row.id,
    status: row.status,
    ...(row.statusReason === null ? {} : { status_reason: row.statusReason }),
    template: row.template,
    vcpus: row.vcpus,
    memory_mb: row.memoryMb,
    timeout_sec: row.timeoutSec,
    on_timeout: row.onTimeout,
    metadata: row.metadata,
    ...(row.guestIp === null ? {} : { guest_ip: row.guestIp }),
    ...(row.hostIp === null ? {} : { host_ip: row.hostIp }),
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    last_active_at: row.lastActiveAt?.toISOString() ?? null,
    last_updated: row.lastUpdated.toISOString(),
  }
}
