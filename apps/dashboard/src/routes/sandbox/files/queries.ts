// What is read of a sandbox's files. Nothing of it is kept longer than it is shown: files change without telling everybody.
import { queryOptions } from '@tanstack/react-query'
import type { FileEntry, Files, Wrenn } from '@wrenn/sdk'
import { parentOf, resolvePath } from '../../../lib/file-paths.ts'

export const fileKeys = {
  folder: (id: string, path: string) => ['files', id, 'folder', path],
  entry: (id: string, path: string) => ['files', id, 'entry', path],
  content: (id: string, path: string) => ['files', id, 'content', path],
} as const

const keptMs = 60_000
/** As many as Linux follows (path_resolution(7)). */
const maxLinks = 40

/** What a path is, or what the links that it names lead to in the end: `path` of the entry says where that is. */
export function entryQuery(wrenn: Wrenn, id: string, path: string) {
  return queryOptions({
    queryKey: fileKeys.entry(id, path),
    queryFn: ({ signal }) => entryBehindLinks(wrenn.sandboxes.files, { id, path, signal }),
    staleTime: 0,
    gcTime: keptMs,
  })
}

/** In the server's order. */
export function folderQuery(wrenn: Wrenn, id: string, path: string) {
  return queryOptions({
    queryKey: fileKeys.folder(id, path),
    queryFn: ({ signal }) => wrenn.sandboxes.files.list(id, path, { signal }),
    staleTime: 0,
    gcTime: keptMs,
  })
}

/** Throws `not_found`, also for a link that leads nowhere. */
async function entryBehindLinks(
  files: Files,
  { id, path, signal }: { id: string; path: string; signal: AbortSignal },
): Promise<FileEntry> {
  let entry = await files.stat(id, path, { signal })
  for (let links = 0; entry.type === 'symlink'; links += 1) {
    if (links === maxLinks) throw new Error(`${path}: this link leads in a circle`)
    const target = resolvePath(parentOf(entry.path), entry.symlink_target ?? '')
    entry = await files.stat(id, target, { signal })
  }
  return entry
}
