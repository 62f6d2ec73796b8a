// The refusal of what a sandbox's state does not allow.
import { AppError } from '@wrenn/base'
import { whySandboxCannot, type SandboxAction } from '@wrenn/contract/sandbox-can'
import type { SandboxRow } from '../../store/schema.ts'

/** Throws `invalid_state`, naming the state, when the sandbox's does not allow the action. */
export function assertCan(action: SandboxAction, { id, status }: Pick<SandboxRow, 'id' | 'status'>): void {
  const refusal = whySandboxCannot(action, status, `Sandbox ${id}`)
  if (refusal !== undefined) throw new AppError('invalid_state', refusal)
}
