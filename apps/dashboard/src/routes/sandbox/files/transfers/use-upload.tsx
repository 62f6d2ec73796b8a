// Uploads into a folder. What is there already under the same name is replaced only when that is said.
import { WrennError, type FileEntry, type Files } from '@wrenn/sdk'
import { useEffect, useEffectEvent, useState, type ReactNode } from 'react'
import { joinPath } from '../../../../lib/file-paths.ts'
import { useWrenn } from '../../../../session/client.ts'
import { notify } from '../../../../ui/toasts.tsx'
import { topNames, withoutNames, type Dropped } from './dropped.ts'
import { ReplaceDialog } from './replace-dialog.tsx'
import type { TransferRequest } from './transfers.ts'
import { useAllTransfers, useTransfers } from './use-transfers.ts'

export interface UploadTarget {
  id: string
  /** The folder. */
  path: string
  /** What is in it. */
  entries: readonly FileEntry[] | undefined
  /** Something has come. */
  onChange: () => void
}

export interface Upload {
  upload: (dropped: Dropped) => void
  /** Shown while it has to be answered. */
  question: ReactNode
}

export function useUpload({ id, path, entries, onChange }: UploadTarget): Upload {
  const { files } = useWrenn().sandboxes
  const transfers = useTransfers(id)
  const [asked, setAsked] = useState<{ dropped: Dropped; taken: FileEntry[] }>()
  const done = useAllTransfers(transfers).filter(
    ({ kind, state }) => kind === 'upload' && state === 'done',
  ).length
  const report = useEffectEvent(onChange)
  useEffect(() => {
    if (done > 0) report()
  }, [done])
  const start = (dropped: Dropped): void => transfers.add(requests(files, { id, path, dropped }))
  const upload = (dropped: Dropped): void => {
    const names = new Set(topNames(dropped))
    if (names.size === 0) {
      notify.failed('Nothing to upload', new Error('What was given has no files in it.'))
      return
    }
    const taken = (entries ?? []).filter(({ name }) => names.has(name))
    if (taken.length > 0) setAsked({ dropped, taken })
    else start(dropped)
  }
  const answer = (dropped: Dropped): void => {
    setAsked(undefined)
    start(dropped)
  }
  const question = asked && (
    <ReplaceDialog
      taken={asked.taken}
      others={topNames(asked.dropped).length - asked.taken.length}
      onClose={() => setAsked(undefined)}
      onReplace={() => answer(asked.dropped)}
      onSkip={() => answer(withoutNames(asked.dropped, new Set(asked.taken.map(({ name }) => name))))}
    />
  )
  return { upload, question }
}

function requests(
  files: Files,
  { id, path, dropped }: { id: string; path: string; dropped: Dropped },
): TransferRequest[] {
  return [
    ...dropped.emptyFolders.map((name): TransferRequest => {
      const run: TransferRequest['run'] = async ({ signal }) => {
        try {
          await files.mkdir(id, joinPath(path, name), { signal })
        } catch (error) {
          if (!(error instanceof WrennError) || error.code !== 'already_exists') throw error
          const there = await files.stat(id, joinPath(path, name), { signal })
          if (there.type !== 'directory') throw error
        }
      }
      return { kind: 'upload', name: `${name}/`, sizeBytes: 0, run }
    }),
    ...dropped.files.map(({ path: name, file }): TransferRequest => ({
      kind: 'upload',
      name,
      sizeBytes: file.size,
      run: (options) => files.writeStream(id, joinPath(path, name), file, options),
    })),
  ]
}
