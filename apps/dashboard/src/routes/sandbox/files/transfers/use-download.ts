import type { FileEntry } from '@wrenn/sdk'
import { useCallback } from 'react'
import { useWrenn } from '../../../../session/client.ts'
import { prepareDownload } from './download.ts'
import { useTransfers } from './use-transfers.ts'

/** Downloads files, each by itself. The same function for the same sandbox. Call it in the handler of a click. */
export function useDownload(id: string): (entries: readonly FileEntry[]) => void {
  const { files } = useWrenn().sandboxes
  const transfers = useTransfers(id)
  return useCallback(
    (entries) =>
      transfers.add(
        entries.map(({ path, name, size: sizeBytes }) => ({
          kind: 'download',
          name,
          sizeBytes,
          run: prepareDownload(files, { id, path, name, sizeBytes }),
        })),
      ),
    [files, id, transfers],
  )
}
