// /v1/sandboxes/{id}/files: list, stat, mkdir, move, remove and watch. Entries have the agent's form, which is the
// contract's.
import type { SandboxDeps } from '../services/sandboxes/deps.ts'
import {
  listFiles,
  makeDirectory,
  moveFile,
  removeFile,
  statFile,
} from '../services/sandboxes/file-operations.ts'
import { sandboxRef } from '../services/sandboxes/find.ts'
import { watchFiles } from '../services/sandboxes/watch.ts'
import type { PublicHandlers } from './handlers.ts'

type FileOperation = 'listFiles' | 'statFile' | 'makeDirectory' | 'moveFile' | 'removeFile' | 'watchFiles'

export function fileOperationHandlers(deps: SandboxDeps): Pick<PublicHandlers, FileOperation> {
  return {
    listFiles: async ({ auth, params, query: { path }, signal }) => ({
      status: 200,
      body: await listFiles(deps, sandboxRef(auth.teamId, params.id), { path, signal }),
    }),
    statFile: async ({ auth, params, query: { path }, signal }) => ({
      status: 200,
      body: await statFile(deps, sandboxRef(auth.teamId, params.id), { path, signal }),
    }),
    makeDirectory: async ({ auth, params, body: { path }, signal }) => ({
      status: 201,
      body: await makeDirectory(deps, sandboxRef(auth.teamId, params.id), { path, signal }),
    }),
    moveFile: async ({ auth, params, body, signal }) => ({
      status: 200,
      body: await moveFile(deps, sandboxRef(auth.teamId, params.id), { ...body, signal }),
    }),
    removeFile: async ({ auth, params, query: { path }, signal }) => {
      await removeFile(deps, sandboxRef(auth.teamId, params.id), { path, signal })
      return { status: 204 }
    },
    watchFiles: async ({ auth, params, query, signal }) => {
      const request = { path: query.path, recursive: query.recursive === 'true', signal }
      const body = await watchFiles(deps, sandboxRef(auth.teamId, params.id), request)
      return { status: 200, contentType: 'text/event-stream', body }
    },
  }
}
