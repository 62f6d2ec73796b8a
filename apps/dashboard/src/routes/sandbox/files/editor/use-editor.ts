// The state of an editor: what is typed, the version of the file that it began from, and saving it.
import { useMutation } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useState } from 'react'
import { useClient } from '../../../../session/client.ts'
import { notify } from '../../../../ui/toasts.tsx'
import { FileChanged, loadText, saveFile, type Base, type Stamp } from './content.ts'
import { draftOf, dropDraft, keepDraft } from './drafts.ts'

export interface EditorOptions {
  id: string
  path: string
  /** As it was opened. */
  opened: Base
  /** The version in the sandbox, as far as is known; undefined when it was removed. */
  latest: Stamp | undefined
}

export interface Editor {
  text: string
  type: (text: string) => void
  base: Base
  isDirty: boolean
  isSaving: boolean
  /** `isForced`: over whatever is there. */
  save: (isForced?: boolean) => void
  /** Of the last attempt to save or load. */
  error: Error | null
  /** What has happened to the file behind the editor's back: the reader chooses what becomes of it. */
  conflict: FileChanged['what'] | undefined
  /** Shows what is there, and drops what was typed. */
  load: () => void
  /** Forgets what was typed, before the editor is left. */
  discard: () => void
}

interface State {
  base: Base
  text: string
  /** What was known to be there when `base` was read: older than that, if it is another. Null: all others are newer. */
  older: Stamp | undefined | null
}

export function useEditor({ id, path, opened, latest }: EditorOptions): Editor {
  const { wrenn, session } = useClient()
  const { files } = wrenn.sandboxes
  const { userId } = session
  const [{ base, text, older }, setState] = useState<State>(() => {
    const draft = draftOf(userId, { id, path })
    return draft ? { ...draft, older: null } : { base: opened, text: opened.text, older: latest }
  })
  useEffect(() => keepDraft(userId, { id, path }, { base, text }), [userId, id, path, base, text])
  const save = useMutation({
    mutationFn: (isForced: boolean) => saveFile(files, { id, path }, { base, text, isForced }),
    onSuccess: (saved) => {
      // What was typed meanwhile stays, unsaved.
      setState((state) => ({ ...state, base: saved, older: latest }))
      notify.done('Saved')
    },
  })
  const load = useMutation({
    mutationFn: () => loadText(files, { id, path }),
    onSuccess: (loaded) => {
      save.reset()
      setState({ base: loaded, text: loaded.text, older: latest })
    },
  })
  const isBusy = save.isPending || load.isPending
  const isDirty = text !== base.text
  const isOutdated = !isBusy && latest !== base.stamp && latest !== older
  // Nothing was typed that could be lost: the file is simply shown as it is.
  const followed = isOutdated && !isDirty && !load.isError ? latest : undefined
  const follow = useEffectEvent(() => load.mutate())
  useEffect(() => {
    if (followed !== undefined) follow()
  }, [followed])
  const isForcing = save.isPending && save.variables
  const refused = save.error instanceof FileChanged ? save.error.what : undefined
  return {
    text,
    type: (next) => setState((state) => ({ ...state, text: next })),
    base,
    isDirty,
    isSaving: save.isPending,
    save: (isForced = false) => {
      if (!isBusy && (isDirty || isForced)) save.mutate(isForced)
    },
    error: (refused === undefined ? save.error : null) ?? load.error,
    // Until the choice to overwrite has come true, it stands.
    conflict: isForcing || isOutdated ? (refused ?? seen({ isDirty, latest })) : refused,
    load: () => load.mutate(),
    discard: () => dropDraft(userId, { id, path }),
  }
}

/** Undefined when there is nothing to choose. */
function seen({ isDirty, latest }: { isDirty: boolean; latest: Stamp | undefined }) {
  if (latest === undefined) return 'removed' as const
  return isDirty ? ('changed' as const) : undefined
}
