// /v1/sandboxes/{id}/files: write and read, each in two variants. Both stream; the plain upload has a cap.
import { MIB } from '@wrenn/base'
import type { PublicApi, Call } from '@wrenn/contract'
import type { Caller } from '../auth/authenticate.ts'
import type { SandboxDeps } from '../services/sandboxes/deps.ts'
import { findForFiles, readSandboxFile, writeSandboxFile } from '../services/sandboxes/files.ts'
import { sandboxRef } from '../services/sandboxes/find.ts'
import type { PublicHandlers } from './handlers.ts'
import { readUploadForm } from './upload-form.ts'

type FileOperation = 'uploadFile' | 'downloadFile' | 'streamUploadFile' | 'streamDownloadFile'

const maxUploadBytes = 100 * MIB

export function fileHandlers(deps: SandboxDeps): Pick<PublicHandlers, FileOperation> {
  const upload =
    (maxBytes: number) =>
    async ({ auth, params, body, signal }: Call<PublicApi, 'uploadFile' | 'streamUploadFile', Caller>) => {
      // Before the form: whether there is such a sandbox does not depend on it.
      const row = await findForFiles(deps, sandboxRef(auth.teamId, params.id))
      const form = await readUploadForm(body, maxBytes)
      try {
        await writeSandboxFile(deps, row, { ...form, signal })
      } finally {
        form.content.destroy()
      }
      return { status: 204 as const }
    }
  const download = async ({
    auth,
    params,
    body,
    signal,
  }: Call<PublicApi, 'downloadFile' | 'streamDownloadFile', Caller>) => {
    const row = await findForFiles(deps, sandboxRef(auth.teamId, params.id))
    const { stream, sizeBytes } = await readSandboxFile(deps, row, { path: body.path, signal })
    return {
      status: 200 as const,
      contentType: 'application/octet-stream' as const,
      body: stream,
      ...(sizeBytes === undefined ? {} : { headers: { 'content-length': String(sizeBytes) } }),
    }
  }
  return {
    uploadFile: upload(maxUploadBytes),
    downloadFile: download,
    streamUploadFile: upload(Infinity),
    streamDownloadFile: download,
  }
}
