// GET /v1/events, the changes of a team as they happen, and /v1/sandboxes/{id}/events, what has happened to one of its
// sandboxes.
import type { PublicSchemas, ServerEvent } from '@wrenn/contract'
import { sandboxRef } from '../services/sandboxes/find.ts'
import { listSandboxEvents } from '../services/sandboxes/history.ts'
import type { TeamEvent } from '../services/team-events/mailbox.ts'
import type { TeamEvents } from '../services/team-events/team-events.ts'
import type { Database } from '../store/database.ts'
import type { SandboxEventRow } from '../store/schema.ts'
import type { PublicHandlers } from './handlers.ts'
import { sandboxToWire } from './sandboxes.ts'
import { baseToWire, snapshotToWire } from './snapshots.ts'

export interface EventDeps {
  db: Database
  teamEvents: TeamEvents
}

/** As the contract says. */
const defaultLimit = 100

export function eventHandlers({
  db,
  teamEvents,
}: EventDeps): Pick<PublicHandlers, 'streamEvents' | 'listSandboxEvents'> {
  // One event goes to everybody who listens: it becomes text once.
  const texts = new WeakMap<TeamEvent, ServerEvent>()
  const textOf = (event: TeamEvent): ServerEvent => {
    const text = texts.get(event) ?? teamEventToWire(event)
    texts.set(event, text)
    return text
  }
  return {
    streamEvents: async ({ auth, signal }) => {
      const events = teamEvents.listen(auth, signal)
      return { status: 200, contentType: 'text/event-stream', body: each(events, textOf) }
    },
    listSandboxEvents: async ({ auth, params, query }) => {
      const ref = sandboxRef(auth.teamId, params.id)
      const { limit = defaultLimit, cursor } = query
      const { rows, next } = await listSandboxEvents(db, ref, { limit, cursor })
      const headers = next === undefined ? {} : { link: nextLink(ref.id, { limit, cursor: next }) }
      return { status: 200, headers, body: rows.map(sandboxEventToWire) }
    },
  }
}

async function* each<From, To>(items: AsyncIterable<From>, map: (item: From) => To): AsyncGenerator<To> {
  for await (const item of items) yield map(item)
}

function teamEventToWire(event: TeamEvent): ServerEvent {
  if (event.kind === 'ready') return { event: 'ready', data: '{}' }
  if (event.kind === 'templateDeleted')
    return { event: 'template_deleted', data: JSON.stringify({ name: event.name }) }
  if (event.kind === 'sandbox') return { event: 'sandbox', data: JSON.stringify(sandboxToWire(event.row)) }
  const template = event.kind === 'snapshot' ? snapshotToWire(event.row) : baseToWire(event.row)
  return { event: 'template', data: JSON.stringify(template) }
}

function sandboxEventToWire(row: SandboxEventRow): PublicSchemas['SandboxEvent'] {
  const { byId, byName } = row
  return {
    id: row.id,
    at: row.at.toISOString(),
    type: row.type,
    by: {
      kind: row.byKind,
      ...(byId === null ? {} : { id: byId }),
      ...(byName === null ? {} : { name: byName }),
    },
    ...(row.reason === null ? {} : { reason: row.reason }),
  }
}

/** RFC 8288, section 3: a relative reference, so that it is right behind any proxy. */
function nextLink(id: string, { limit, cursor }: { limit: number; cursor: string }): string {
  const parameters = new URLSearchParams({ limit: String(limit), cursor })
  return `</v1/sandboxes/${id}/events?${parameters.toString()}>; rel="next"`
}
