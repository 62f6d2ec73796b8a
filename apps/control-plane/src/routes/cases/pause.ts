// /v1/sandboxes/{id}/pause and /resume.
import { agentFails, guarded, stoppedSandbox, unknownSandbox } from './common.ts'
import type { Cases } from './case.ts'

export const pauseCases = {
  pauseSandbox: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      200: async ({ owner, running }) => ({ as: owner, params: { id: await running() } }),
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
      200: async ({ owner, running, platform }) => {
        const params = { id: await running() }
        await platform.api.expect(200, 'pauseSandbox', { as: owner, params })
        return { as: owner, params }
      },
      404: unknownSandbox,
      409: stoppedSandbox,
      502: agentFails('resumeSandbox', 'agent_error'),
      503: agentFails('resumeSandbox', 'no_capacity'),
    },
  },
} satisfies Partial<Cases>
