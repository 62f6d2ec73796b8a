// /v1/sandboxes/{id}/pause and /resume.
import { agentFails, atLimit, guarded, stoppedSandbox, unknownSandbox } from './common.ts'
import type { Cases } from './case.ts'

export const pauseCases = {
  pauseSandbox: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      200: async ({ owner, running }) => ({ as: owner, params: { id: await running() } }),
      403: atLimit,
      404: unknownSandbox,
      409: stoppedSandbox,
      502: agentFails('pauseSandbox', 'agent_error'),
      503: agentFails('pauseSandbox', 'no_capacity'),
    },
  },
  resumeSandbox: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      200: async ({ owner, paused }) => ({ as: owner, params: { id: await paused() } }),
      403: atLimit,
      404: unknownSandbox,
      409: stoppedSandbox,
      502: agentFails('resumeSandbox', 'agent_error'),
      503: agentFails('resumeSandbox', 'no_capacity'),
    },
  },
} satisfies Partial<Cases>
