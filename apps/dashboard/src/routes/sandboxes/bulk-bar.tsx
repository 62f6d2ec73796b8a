// What can be done to all that are selected, and how it went for each: those that could not stay selected.
import { Menu } from '@base-ui/react/menu'
import type { Sandbox } from '@wrenn/sdk'
import { Ellipsis, X } from 'lucide-react'
import { useState, type Dispatch, type SetStateAction } from 'react'
import { actionWords, whyNot } from '../../sandboxes/actions.ts'
import { DestroyDialog } from '../../sandboxes/destroy-dialog.tsx'
import type { SimpleAction } from '../../sandboxes/perform.ts'
import { CurlSubmenu } from '../../sandboxes/sandbox-menu.tsx'
import { Button } from '../../ui/button.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { MenuPopup } from '../../ui/menu.tsx'
import { BulkOutcome } from './bulk-outcome.tsx'
import { useBulk } from './use-bulk.ts'

const bulkActions = ['pause', 'resume', 'destroy'] as const satisfies readonly SimpleAction[]

export interface BulkBarProps {
  selected: readonly Sandbox[]
  onSelect: Dispatch<SetStateAction<ReadonlySet<string>>>
}

export function BulkBar({ selected, onSelect }: BulkBarProps) {
  const { bulk, run, dismiss } = useBulk()
  const [toDestroy, setToDestroy] = useState<readonly Sandbox[]>()
  const isRunning = bulk !== undefined && bulk.done.length + bulk.failed.length < bulk.total
  const doAll = async (action: SimpleAction, sandboxes: readonly Sandbox[]): Promise<void> => {
    const done = new Set(await run(action, sandboxes))
    onSelect((chosen) => new Set([...chosen].filter((id) => !done.has(id))))
  }
  const start = (action: SimpleAction): void => {
    if (action === 'destroy') setToDestroy(selected)
    else void doAll(action, selected)
  }
  if (selected.length === 0 && !bulk) return null
  return (
    <section
      aria-label="Selected sandboxes"
      className="sticky bottom-4 z-10 flex max-w-full flex-col gap-2 self-center rounded-lg border border-line bg-surface p-2 shadow-popup"
    >
      {bulk && <BulkOutcome bulk={bulk} isRunning={isRunning} onDismiss={dismiss} />}
      {selected.length > 0 && (
        <div className="flex flex-wrap items-center gap-2">
          <span className="px-1.5 font-medium">{selected.length} selected</span>
          {bulkActions.map((action) => (
            <Button
              key={action}
              size="sm"
              icon={actionWords[action].icon}
              disabledReason={isRunning ? 'The last one is still under way' : reasonOf(action, selected)}
              onClick={() => start(action)}
            >
              {actionWords[action].label}
            </Button>
          ))}
          <Menu.Root>
            <Menu.Trigger render={<IconButton label="More for the selected" icon={Ellipsis} />} />
            <MenuPopup side="top">
              <CurlSubmenu ids={selected.map(({ id }) => id)} actions={bulkActions} />
            </MenuPopup>
          </Menu.Root>
          <IconButton label="Select none" icon={X} onClick={() => onSelect(new Set())} />
        </div>
      )}
      {toDestroy && (
        <DestroyDialog
          sandboxes={toDestroy}
          onClose={() => setToDestroy(undefined)}
          onConfirm={() => {
            // The bar shows how it goes: the dialog has nothing to wait for.
            void doAll('destroy', toDestroy)
            return Promise.resolve()
          }}
        />
      )}
    </section>
  )
}

/** Possible when it is for one of them at least: the others are told apart afterwards. */
function reasonOf(action: SimpleAction, selected: readonly Sandbox[]): string | undefined {
  const reasons = selected.map((sandbox) => whyNot(action, sandbox))
  if (reasons.includes(undefined)) return undefined
  return selected.length === 1 ? reasons[0] : `None of them can be ${actionWords[action].done} now`
}
