// Does something to a sandbox, wherever in the app it was asked for. Each is a mutation in the session's cache: every page
// sees what is under way, also one that is shown later, and what the server answers is in the lists at once.
import { useMutationState } from '@tanstack/react-query'
import type { Sandbox, Template } from '@wrenn/sdk'
import { useMemo } from 'react'
import { keys } from '../data/keys.ts'
import { applyEvent, putSandbox } from '../live/events.ts'
import type { Client } from '../session/client.ts'
import type { UserAction } from './actions.ts'
import { despiteBrokenConnection } from './idempotency.ts'

export type SimpleAction = Exclude<UserAction, 'snapshot'>

export interface SnapshotWish {
  /** Empty: the server makes one up. */
  name: string
  overwrite: boolean
  /** The same for a repeated click: then the first answer comes again. */
  idempotencyKey: string
}

interface Request {
  action: UserAction
  id: string
}

const mutationKey = ['sandbox-action']
/** As the SDK's for what saves or loads memory. */
const snapshotTimeoutMs = 300_000

/** Throws what the server says. */
export function perform(client: Client, action: SimpleAction, sandbox: Sandbox): Promise<void> {
  return underWay(client, { action, id: sandbox.id }, async () => {
    putSandbox(client.queries, await calls[action](client, sandbox))
  })
}

/** Throws what the server says; the sandbox is as it was then. */
export function snapshot(client: Client, sandbox: Sandbox, wish: SnapshotWish): Promise<Template> {
  const { wrenn, queries } = client
  const { name, overwrite, idempotencyKey } = wish
  return underWay(client, { action: 'snapshot', id: sandbox.id }, async () => {
    // The SDK's own method waits for half a minute and tries again when there is no room: here that is said at once.
    const template = await despiteBrokenConnection(() =>
      wrenn.call('post', '/v1/snapshots', {
        body: { sandbox_id: sandbox.id, ...(name === '' ? {} : { name }) },
        query: { overwrite: overwrite ? 'true' : undefined },
        headers: { 'idempotency-key': idempotencyKey },
        repeat: 'never',
        timeoutMs: snapshotTimeoutMs,
      }),
    )
    applyEvent(queries, { type: 'template', template })
    putSandbox(queries, destroyed(client, sandbox))
    return template
  })
}

const calls = {
  pause: ({ wrenn }, { id }) => wrenn.sandboxes.pause(id),
  resume: ({ wrenn }, { id }) => wrenn.sandboxes.resume(id),
  ping: async ({ wrenn, queries }, sandbox) => {
    await wrenn.sandboxes.ping(sandbox.id)
    return { ...latest({ queries }, sandbox), last_active_at: new Date().toISOString() }
  },
  destroy: async (client, sandbox) => {
    await client.wrenn.sandboxes.destroy(sandbox.id)
    return destroyed(client, sandbox)
  },
} as const satisfies Record<SimpleAction, (client: Client, sandbox: Sandbox) => Promise<Sandbox>>

/** What is known of it, until its event or the next read says the rest: when, and why. */
function destroyed({ queries }: Pick<Client, 'queries'>, sandbox: Sandbox): Sandbox {
  void queries.invalidateQueries({ queryKey: keys.sandbox(sandbox.id) })
  const { status_reason: _reason, guest_ip: _guest, host_ip: _host, ...rest } = latest({ queries }, sandbox)
  return { ...rest, status: 'stopped' }
}

/** It may have changed since it was clicked on. */
function latest({ queries }: Pick<Client, 'queries'>, sandbox: Sandbox): Sandbox {
  const { id } = sandbox
  const listed = queries.getQueryData<Sandbox[]>(keys.sandboxes)?.find((each) => each.id === id)
  return queries.getQueryData<Sandbox>(keys.sandbox(id)) ?? listed ?? sandbox
}

function underWay<T>({ queries }: Client, request: Request, work: () => Promise<T>): Promise<T> {
  return queries
    .getMutationCache()
    .build<T, Error, Request, unknown>(queries, { mutationKey, mutationFn: work })
    .execute(request)
}

/** What is being done in this tab, by sandbox. */
export function usePending(): ReadonlyMap<string, UserAction> {
  const requests = useMutationState({
    filters: { mutationKey, status: 'pending' },
    select: ({ state }) => state.variables as Request,
  })
  return useMemo(() => new Map(requests.map(({ id, action }) => [id, action])), [requests])
}
