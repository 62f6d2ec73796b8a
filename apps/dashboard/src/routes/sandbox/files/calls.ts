// What is done to files, each as a call of the API, to be copied as curl.
import type { ApiCall } from '../../../lib/curl.ts'
import { nameOf } from '../../../lib/file-paths.ts'

function base(id: string): string {
  return `/v1/sandboxes/${encodeURIComponent(id)}/files`
}

export const fileCalls = {
  list: (id: string, path: string): ApiCall => ({
    method: 'GET',
    path: `${base(id)}?path=${encodeURIComponent(path)}`,
  }),
  read: (id: string, path: string): ApiCall => ({
    method: 'POST',
    path: `${base(id)}/stream/read`,
    json: { path },
    output: nameOf(path),
  }),
  /** Of a file beside the shell that has the same name. */
  write: (id: string, path: string): ApiCall => ({
    method: 'POST',
    path: `${base(id)}/stream/write`,
    form: [
      { name: 'path', value: path },
      { name: 'file', file: nameOf(path) },
    ],
  }),
  mkdir: (id: string, path: string): ApiCall => ({
    method: 'POST',
    path: `${base(id)}/mkdir`,
    json: { path },
  }),
  move: (id: string, source: string, destination: string): ApiCall => ({
    method: 'POST',
    path: `${base(id)}/move`,
    json: { source, destination },
  }),
  remove: (id: string, path: string): ApiCall => ({
    method: 'DELETE',
    path: `${base(id)}?path=${encodeURIComponent(path)}`,
  }),
} as const
