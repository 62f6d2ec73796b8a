// /v1/events and /v1/sandboxes/{id}/events.
import { guarded, unknownSandbox } from './common.ts'
import type { Cases } from './case.ts'

export const eventCases = {
  streamEvents: {
    foreign: 'own data only',
    answers: { ...guarded, 200: ({ owner }) => ({ as: owner }) },
  },
  listSandboxEvents: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      200: async ({ owner, stopped }) => ({ as: owner, params: { id: await stopped() } }),
      400: async ({ good }) => ({ ...(await good()), query: 'cursor=none' }),
      404: unknownSandbox,
    },
  },
} satisfies Partial<Cases>
