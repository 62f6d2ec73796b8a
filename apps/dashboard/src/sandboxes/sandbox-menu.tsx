// The actions on one sandbox as the items of a menu, and each as a call of the API.
import { Menu } from '@base-ui/react/menu'
import type { Sandbox } from '@wrenn/sdk'
import { ChevronRight, Copy, Terminal } from 'lucide-react'
import { cx } from '../lib/cx.ts'
import { curlCommand } from '../lib/curl.ts'
import { copyText } from '../ui/copy-button.tsx'
import { menuItem, MenuPopup } from '../ui/menu.tsx'
import { actionWords, callOf, userActions, whyNot, type UserAction } from './actions.ts'
import { useSandboxActions } from './sandbox-actions.tsx'

/** `actions`: those that are not offered beside the menu already. Inside `SandboxActions`. */
export function SandboxMenu({
  sandbox,
  actions = userActions,
}: {
  sandbox: Sandbox
  actions?: readonly UserAction[]
}) {
  const { start, pending } = useSandboxActions()
  return (
    <MenuPopup>
      {actions.map((action) => {
        const { label, icon: Icon, asksFirst } = actionWords[action]
        const reason = whyNot(action, sandbox, pending.get(sandbox.id))
        const isDangerous = action === 'destroy' && reason === undefined
        return (
          <Menu.Item
            key={action}
            disabled={reason !== undefined}
            onClick={() => start(action, sandbox)}
            className={cx(menuItem, isDangerous && 'text-danger')}
          >
            <Icon aria-hidden className="size-4 shrink-0" />
            <span>
              {label}
              {asksFirst && '…'}
              {reason !== undefined && <span className="block text-xs">{reason}</span>}
            </span>
          </Menu.Item>
        )
      })}
      <Menu.Separator className="my-1 h-px bg-line" />
      <Menu.Item className={menuItem} onClick={() => copyText(sandbox.id)}>
        <Copy aria-hidden className="size-4" />
        Copy the id
      </Menu.Item>
      <CurlSubmenu ids={[sandbox.id]} />
    </MenuPopup>
  )
}

/** A line for each of them, whether or not it is possible now. */
export function CurlSubmenu({
  ids,
  actions = userActions,
}: {
  ids: readonly string[]
  actions?: readonly UserAction[]
}) {
  const copy = (action: UserAction): void =>
    copyText(ids.map((id) => curlCommand(callOf(action, id), location.origin)).join('\n'))
  return (
    <Menu.SubmenuRoot>
      <Menu.SubmenuTrigger className={menuItem}>
        <Terminal aria-hidden className="size-4" />
        <span className="flex-1">Copy as curl</span>
        <ChevronRight aria-hidden className="size-4 text-muted" />
      </Menu.SubmenuTrigger>
      <MenuPopup side="right" align="start">
        {actions.map((action) => (
          <Menu.Item key={action} className={menuItem} onClick={() => copy(action)}>
            {actionWords[action].label}
          </Menu.Item>
        ))}
      </MenuPopup>
    </Menu.SubmenuRoot>
  )
}
