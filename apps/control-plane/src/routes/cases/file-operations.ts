// /v1/sandboxes/{id}/files: list, stat, mkdir, move, remove and watch.
import { randomUUID } from 'node:crypto'
import { agentFails, guarded, jsonBody, stoppedSandbox, unknownSandbox, withFields } from './common.ts'
import type { Cases, Given, Prepare } from './case.ts'

/** A new file of the fake agent's. */
function newFile({ platform }: Given): string {
  const path = `/root/${randomUUID()}`
  platform.agent.files.set(path, Buffer.from('content'))
  return path
}

const onPath =
  (path: (given: Given) => string): Prepare =>
  async (given) => ({
    as: given.owner,
    params: { id: await given.running() },
    query: `path=${encodeURIComponent(path(given))}`,
  })

const withQuery =
  (query: string): Prepare =>
  async ({ good }) => ({ ...(await good()), query })

const notThere = withQuery('path=/root/none')
const notAbsolute = withQuery('path=root')

export const fileOperationCases = {
  listFiles: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      200: onPath(() => '/root'),
      400: async (given) => ({ ...(await given.good()), query: `path=${newFile(given)}` }),
      404: notThere,
      409: stoppedSandbox,
      502: agentFails('listFiles', 'agent_error'),
    },
  },
  statFile: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      200: onPath(newFile),
      400: notAbsolute,
      404: notThere,
      409: stoppedSandbox,
      502: agentFails('statFile', 'agent_error'),
    },
  },
  makeDirectory: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      ...jsonBody,
      201: async ({ owner, running }) => ({
        as: owner,
        params: { id: await running() },
        body: { path: `/root/${randomUUID()}/below` },
      }),
      404: unknownSandbox,
      409: async (given) => withFields(await given.good(), { path: newFile(given) }),
      502: agentFails('makeDirectory', 'agent_error'),
      507: agentFails('makeDirectory', 'disk_full'),
    },
  },
  moveFile: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      ...jsonBody,
      200: async (given) => ({
        as: given.owner,
        params: { id: await given.running() },
        body: { source: newFile(given), destination: `/root/${randomUUID()}` },
      }),
      404: async ({ good }) => withFields(await good(), { source: '/root/none' }),
      409: async (given) => withFields(await given.good(), { destination: newFile(given) }),
      502: agentFails('moveFile', 'agent_error'),
      507: agentFails('moveFile', 'disk_full'),
    },
  },
  watchFiles: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      200: onPath(() => '/root'),
      400: withQuery('path=/root&recursive=maybe'),
      404: notThere,
      409: stoppedSandbox,
      502: agentFails('watchFiles', 'agent_error'),
    },
  },
  removeFile: {
    foreign: 'not_found',
    answers: {
      ...guarded,
      204: onPath(newFile),
      400: withQuery('path=/'),
      404: notThere,
      409: stoppedSandbox,
      502: agentFails('removeFile', 'agent_error'),
    },
  },
} satisfies Partial<Cases>
