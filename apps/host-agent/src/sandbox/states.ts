// The states of a sandbox on its host. What a command needs, and what a transition may begin from, is decided by these.
import { AppError, type SandboxId } from '@wrenn/base'
import type { Resumable } from './resume.ts'
import type { RecordIn, SandboxRecord } from './record.ts'
import type { IdleTimer } from './idle-timer.ts'
import type { LiveSandbox, SandboxSpec, StoredSandbox } from './sandbox.ts'

export type SandboxState =
  | { status: 'creating'; spec: SandboxSpec; cut: AbortController }
  | { status: 'running'; live: LiveSandbox; idle: IdleTimer }
  | { status: 'pausing'; live: LiveSandbox }
  | { status: 'paused'; stored: Resumable; reason?: string }
  | { status: 'resuming'; stored: Resumable; cut: AbortController }
  | { status: 'snapshotting'; stored: StoredSandbox }
  | { status: 'destroying'; stored: StoredSandbox }
  | { status: 'expired'; stored: StoredSandbox<RecordIn<'expired'>> }
  /** `live`: what is left of its VM goes with its destroy. */
  | { status: 'failed'; reason: string; stored: StoredSandbox; live?: LiveSandbox }

export type Status = SandboxState['status']

export function storedOf(state: Exclude<SandboxState, { status: 'creating' }>): StoredSandbox {
  return 'stored' in state ? state.stored : state.live
}

/** Undefined while it is being created. */
export function recordOf(state: SandboxState): SandboxRecord | undefined {
  return state.status === 'creating' ? undefined : storedOf(state).record
}

/** Template and size, also of one that is being created. */
export function specOf(state: SandboxState): Pick<SandboxSpec, 'id' | 'template' | 'vcpus' | 'memoryMib'> {
  return state.status === 'creating' ? state.spec : storedOf(state).record
}

/** Whether it has a VM, or is about to. */
export function holdsMemory(state: SandboxState): boolean {
  return state.status !== 'paused' && state.status !== 'expired' && state.status !== 'failed'
}

/** Why it is as it is, where somebody may ask. */
export function reasonOf(state: SandboxState): string | undefined {
  if ('reason' in state) return state.reason
  const current = recordOf(state)?.state
  return current && 'reason' in current ? current.reason : undefined
}

export function notLegal(id: SandboxId, state: SandboxState, needed: string): AppError {
  const why = state.status === 'failed' ? ` (${state.reason})` : ''
  return new AppError('invalid_state', `sandbox ${id} is ${state.status}${why}, not ${needed}`)
}
