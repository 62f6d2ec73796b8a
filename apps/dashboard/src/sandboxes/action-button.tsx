// One action on one sandbox, as a button: in the heading of its page, and in tabs that need it in another state.
import type { Sandbox } from '@wrenn/sdk'
import { Button, type ButtonProps } from '../ui/button.tsx'
import { actionWords, whyNot, type UserAction } from './actions.ts'
import { useSandboxActions } from './sandbox-actions.tsx'

export interface SandboxActionButtonProps extends Pick<ButtonProps, 'variant' | 'size' | 'className'> {
  action: UserAction
  sandbox: Sandbox
}

/** Inside `SandboxActions`. */
export function SandboxActionButton({ action, sandbox, ...look }: SandboxActionButtonProps) {
  const { start, pending } = useSandboxActions()
  const { label, icon } = actionWords[action]
  const doing = pending.get(sandbox.id)
  const isBusy = doing === action
  return (
    <Button
      {...look}
      icon={icon}
      isBusy={isBusy}
      disabledReason={isBusy ? undefined : whyNot(action, sandbox, doing)}
      onClick={() => start(action, sandbox)}
    >
      {label}
    </Button>
  )
}
