// /v1/snapshots: create, list and delete.
import { randomUUID } from 'node:crypto'
import { newId } from '@wrenn/base'
import { agentFails, guarded, jsonBody, withFields } from './common.ts'
import type { Cases, Given } from './case.ts'

/** The name of a new snapshot of the owner's. */
async function snapshot({ owner, running, platform }: Given): Promise<string> {
  const body = { sandbox_id: await running(), name: newName() }
  await platform.api.expect(201, 'createSnapshot', { as: owner, body })
  return body.name
}

function newName(): string {
  return `s-${randomUUID()}`
}

export const snapshotCases = {
  createSnapshot: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      ...jsonBody,
      201: async ({ owner, running }) => ({
        as: owner,
        body: { sandbox_id: await running(), name: newName() },
      }),
      403: async ({ good }) => ({
        ...withFields(await good(), { name: 'minimal' }),
        query: 'overwrite=true',
      }),
      404: async ({ good }) => withFields(await good(), { sandbox_id: newId('sb') }),
      409: async (given) => withFields(await given.good(), { name: await snapshot(given) }),
      502: agentFails('createSnapshot', 'agent_error'),
      503: agentFails('createSnapshot', 'no_capacity'),
    },
  },
  listSnapshots: {
    foreign: 'own data only',
    answers: {
      ...guarded,
      200: async (given) => {
        await snapshot(given)
        return { as: given.owner }
      },
      400: async ({ good }) => ({ ...(await good()), query: 'type=none' }),
    },
  },
  deleteSnapshot: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      204: async (given) => ({ as: given.owner, params: { name: await snapshot(given) } }),
      403: async ({ good }) => ({ ...(await good()), params: { name: 'minimal' } }),
      404: async ({ good }) => ({ ...(await good()), params: { name: newName() } }),
    },
  },
} satisfies Partial<Cases>
