// /v1/sandboxes/{id}/files: write and read, each in two variants.
import { MIB } from '@wrenn/base'
import { agentFails, guarded, jsonBody, otherContentType, stoppedSandbox, unknownSandbox } from './common.ts'
import type { Cases, Prepare } from './case.ts'

const uploaded: Prepare = async ({ owner, running }) => ({
  as: owner,
  params: { id: await running() },
  body: uploadForm('/root/file', 'content'),
})

const uploads = {
  ...guarded,
  204: uploaded,
  400: async ({ good }) => ({ ...(await good()), body: uploadForm('relative', 'content') }),
  404: unknownSandbox,
  409: stoppedSandbox,
  415: otherContentType,
  502: agentFails('writeFile', 'agent_error'),
  507: agentFails('writeFile', 'disk_full'),
} satisfies Record<number, Prepare>

const downloads = {
  ...guarded,
  ...jsonBody,
  200: async ({ owner, running, platform }) => {
    platform.agent.files.set('/root/there', Buffer.from('content'))
    return { as: owner, params: { id: await running() }, body: { path: '/root/there' } }
  },
  404: async ({ good }) => ({ ...(await good()), body: { path: '/root/none' } }),
  409: stoppedSandbox,
  502: agentFails('readFile', 'agent_error'),
} satisfies Record<number, Prepare>

export const fileCases = {
  uploadFile: {
    foreign: 'not_found',
    answers: {
      ...uploads,
      413: async ({ good }) => ({
        ...(await good()),
        body: uploadForm('/root/file', Buffer.alloc(100 * MIB + 1)),
      }),
    },
  },
  streamUploadFile: { foreign: 'not_found', answers: uploads },
  downloadFile: { foreign: 'not_found', answers: downloads },
  streamDownloadFile: { foreign: 'not_found', answers: downloads },
} satisfies Partial<Cases>

function uploadForm(path: string, content: string | Buffer<ArrayBuffer>): FormData {
  const form = new FormData()
  form.set('path', path)
  form.set('file', new Blob([content]))
  return form
}
