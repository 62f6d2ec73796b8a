// Around a page that offers actions on sandboxes: does what their buttons and menus ask for, with the dialogs that some of
// them need, and says how it went.
import type { Sandbox } from '@wrenn/sdk'
import { createContext, use, useCallback, useMemo, useState, type ReactNode } from 'react'
import { useClient } from '../session/client.ts'
import { notify } from '../ui/toasts.tsx'
import { actionWords, type UserAction } from './actions.ts'
import { DestroyDialog } from './destroy-dialog.tsx'
import { perform, usePending } from './perform.ts'
import { SnapshotDialog } from './snapshot-dialog.tsx'

interface Actions {
  /** Does it, or asks first. */
  start: (action: UserAction, sandbox: Sandbox) => void
  /** What is under way, by sandbox. */
  pending: ReadonlyMap<string, UserAction>
}

const ActionsContext = createContext<Actions | undefined>(undefined)

/** In what is inside `SandboxActions`. */
export function useSandboxActions(): Actions {
  const actions = use(ActionsContext)
  if (!actions) throw new Error('useSandboxActions: there is no SandboxActions around this')
  return actions
}

export function SandboxActions({ children }: { children: ReactNode }) {
  const client = useClient()
  const pending = usePending()
  const [asked, setAsked] = useState<{ action: 'snapshot' | 'destroy'; sandbox: Sandbox }>()
  const start = useCallback(
    (action: UserAction, sandbox: Sandbox): void => {
      if (action === 'snapshot' || action === 'destroy') {
        setAsked({ action, sandbox })
        return
      }
      const { done, verb } = actionWords[action]
      perform(client, action, sandbox).then(
        () => notify.done(`${capitalised(done)}: ${sandbox.id}`),
        (error: unknown) => notify.failed(`Could not ${verb} ${sandbox.id}`, error),
      )
    },
    [client],
  )
  const close = (): void => setAsked(undefined)
  return (
    <ActionsContext value={useMemo(() => ({ start, pending }), [start, pending])}>
      {children}
      {asked?.action === 'snapshot' && <SnapshotDialog sandbox={asked.sandbox} onClose={close} />}
      {asked?.action === 'destroy' && (
        <DestroyDialog
          sandboxes={[asked.sandbox]}
          onClose={close}
          onConfirm={async () => {
            await perform(client, 'destroy', asked.sandbox)
            notify.done(`Destroyed: ${asked.sandbox.id}`)
          }}
        />
      )}
    </ActionsContext>
  )
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
