// A button that opens a list of actions. What is not allowed now stays in the list and says why.
import { Menu as Base } from '@base-ui/react/menu'
import type { LucideIcon } from 'lucide-react'
import type { ReactElement, ReactNode } from 'react'
import { cx } from '../lib/cx.ts'

export interface MenuAction {
  label: string
  icon?: LucideIcon
  onSelect: () => void
  isDangerous?: boolean
  /** Why it cannot be chosen now. */
  disabledReason?: string | undefined
}

export const menuItem =
  'flex cursor-default items-center gap-2 rounded-sm px-2.5 py-1.5 outline-none data-highlighted:bg-hover data-disabled:text-muted'

/** `trigger`: a Button or an IconButton. */
export function ActionMenu({ trigger, actions }: { trigger: ReactElement; actions: readonly MenuAction[] }) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <MenuPopup>
        {actions.map(({ label, icon: Icon, onSelect, isDangerous, disabledReason }) => (
          <Base.Item
            key={label}
            disabled={disabledReason !== undefined}
            onClick={onSelect}
            className={cx(menuItem, isDangerous && disabledReason === undefined && 'text-danger')}
          >
            {Icon && <Icon aria-hidden className="size-4 shrink-0" />}
            <span>
              {label}
              {disabledReason !== undefined && <span className="block text-xs">{disabledReason}</span>}
            </span>
          </Base.Item>
        ))}
      </MenuPopup>
    </Base.Root>
  )
}

export interface MenuPopupProps {
  side?: 'top' | 'bottom' | 'right'
  align?: 'start' | 'end'
  children: ReactNode
}

export function MenuPopup({ side = 'bottom', align = 'end', children }: MenuPopupProps) {
  return (
    <Base.Portal>
      <Base.Positioner side={side} align={align} sideOffset={4} className="z-30">
        <Base.Popup className="max-h-(--available-height) min-w-44 max-w-80 overflow-y-auto rounded-md border border-line bg-surface p-1 shadow-popup">
          {children}
        </Base.Popup>
      </Base.Positioner>
    </Base.Portal>
  )
}
