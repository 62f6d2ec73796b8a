// Which action is legal in which state, and how a refusal reads.
import { AppError } from '@wrenn/base'
import type { SandboxRow, SandboxStatus } from '../../store/schema.ts'

type SandboxAction = 'exec' | 'ping' | 'files' | 'pause' | 'resume' | 'snapshot'

/** The states in which each action is legal. */
const sandboxCan = {
  exec: ['running'],
  ping: ['running'],
  files: ['running'],
  pause: ['running'],
  resume: ['paused'],
  snapshot: ['running', 'paused'],
} as const satisfies Record<SandboxAction, readonly SandboxStatus[]>

/** Throws `invalid_state`, naming the state, when the sandbox's does not allow the action. */
export function assertCan(action: SandboxAction, { id, status }: Pick<SandboxRow, 'id' | 'status'>): void {
  const legal: readonly SandboxStatus[] = sandboxCan[action]
  if (legal.includes(status)) return
  throw new AppError('invalid_state', `Sandbox ${id} is ${status}; ${action} needs it ${legal.join(' or ')}`)
}
