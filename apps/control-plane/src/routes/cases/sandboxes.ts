// /v1/sandboxes: create, list, get, delete, exec, terminals, ping and metrics.
import { randomBytes, randomUUID } from 'node:crypto'
import {
  agentFails,
  atLimit,
  guarded,
  jsonBody,
  stoppedSandbox,
  unknownSandbox,
  withFields,
  withoutAgent,
} from './common.ts'
import type { Cases, Prepare } from './case.ts'

/** RFC 6455, section 4.1. */
const handshake = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': randomBytes(16).toString('base64'),
}

const onRunning: Prepare = async ({ owner, running }) => ({ as: owner, params: { id: await running() } })

const webSockets = {
  ...guarded,
  101: async (given) => ({ ...(await onRunning(given)), headers: handshake }),
  400: async ({ good }) => ({
    ...(await good()),
    headers: { ...handshake, 'sec-websocket-version': '1' },
  }),
  404: unknownSandbox,
  409: stoppedSandbox,
  426: async ({ good }) => ({ ...(await good()), headers: {} }),
} satisfies Record<number, Prepare>

export const sandboxCases = {
  createSandbox: {
    foreign: 'own data only',
    answers: {
      ...guarded,
      ...jsonBody,
      201: ({ owner }) => ({ as: owner, body: { template: 'minimal' } }),
      403: atLimit,
      404: async ({ good }) => withFields(await good(), { template: 'unknown' }),
      409: async ({ good, platform }) => {
        const call = { ...(await good()), headers: { 'idempotency-key': randomUUID() } }
        await platform.api.expect(201, 'createSandbox', call)
        return withFields(call, { vcpus: 2 })
      },
      502: agentFails('createSandbox', 'agent_error'),
      503: withoutAgent,
    },
  },
  listSandboxes: {
    foreign: 'own data only',
    answers: {
      ...guarded,
      200: async ({ owner, running }) => {
        await running()
        return { as: owner }
      },
      400: async ({ good }) => ({ ...(await good()), query: 'limit=none' }),
    },
  },
  getSandbox: {
    foreign: 'not_found',
    answers: { ...guarded, 200: onRunning, 404: unknownSandbox },
  },
  destroySandbox: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      204: onRunning,
      404: unknownSandbox,
      502: agentFails('destroySandbox', 'agent_error'),
    },
  },
  execCommand: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      ...jsonBody,
      200: async (given) => ({ ...(await onRunning(given)), body: { cmd: 'echo', args: ['hello'] } }),
      404: unknownSandbox,
      409: stoppedSandbox,
      502: agentFails('exec', 'agent_error'),
      503: withoutAgent,
    },
  },
  execStream: { foreign: 'not_found', answers: webSockets },
  openPty: { foreign: 'not_found', answers: webSockets },
  pingSandbox: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      204: onRunning,
      404: unknownSandbox,
      409: stoppedSandbox,
      502: agentFails('touchSandbox', 'agent_error'),
    },
  },
  getMetrics: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      200: onRunning,
      404: unknownSandbox,
      409: stoppedSandbox,
      502: agentFails('getMetrics', 'agent_error'),
    },
  },
} satisfies Partial<Cases>
