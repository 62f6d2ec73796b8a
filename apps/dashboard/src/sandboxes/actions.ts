// What the app can do to a sandbox: the words of each action, when it is not possible and why, and its call. Buttons, menus
// and dialogs read this, so that they say the same everywhere.
import { whySandboxCannot, type SandboxAction } from '@wrenn/contract/sandbox-can'
import type { Sandbox } from '@wrenn/sdk'
import { Camera, HeartPulse, Pause, Play, Trash2, type LucideIcon } from 'lucide-react'
import type { ApiCall } from '../lib/curl.ts'

export type UserAction = Extract<SandboxAction, 'pause' | 'resume' | 'ping' | 'snapshot' | 'destroy'>

export interface ActionWords {
  /** On its button. One that asks first ends with "…" in menus. */
  label: string
  icon: LucideIcon
  /** "Could not …" */
  verb: string
  /** While it is under way, of one: "being paused". */
  passive: string
  /** "3 …" */
  done: string
  asksFirst: boolean
}

export const actionWords = {
  pause: {
    label: 'Pause',
    icon: Pause,
    verb: 'pause',
    passive: 'being paused',
    done: 'paused',
    asksFirst: false,
  },
  resume: {
    label: 'Resume',
    icon: Play,
    verb: 'resume',
    passive: 'being resumed',
    done: 'resumed',
    asksFirst: false,
  },
  ping: {
    label: 'Keep alive',
    icon: HeartPulse,
    verb: 'keep alive',
    passive: 'being kept alive',
    done: 'kept alive',
    asksFirst: false,
  },
  snapshot: {
    label: 'Snapshot',
    icon: Camera,
    verb: 'save',
    passive: 'being saved as a snapshot',
    done: 'saved',
    asksFirst: true,
  },
  destroy: {
    label: 'Destroy',
    icon: Trash2,
    verb: 'destroy',
    passive: 'being destroyed',
    done: 'destroyed',
    asksFirst: true,
  },
} as const satisfies Record<UserAction, ActionWords>

export const userActions = Object.keys(actionWords) as readonly UserAction[]

/** A destroy wins over these at the server, and cuts them short. */
const givesWay: ReadonlySet<UserAction> = new Set(['pause', 'resume', 'ping'])

/** A sentence for whoever wants to do it now; undefined when it is possible. `pending`: what is being done to it. */
export function whyNot(
  action: UserAction,
  { status, timeout_sec: timeoutSec }: Pick<Sandbox, 'status' | 'timeout_sec'>,
  pending?: UserAction,
): string | undefined {
  if (pending !== undefined && !(action === 'destroy' && givesWay.has(pending)))
    return `The sandbox is ${actionWords[pending].passive}`
  if (action === 'ping' && status === 'running' && timeoutSec === 0)
    return 'The sandbox has no timeout that this would put off'
  return whySandboxCannot(action, status, 'The sandbox')
}

/** The same as one call of the API. */
export function callOf(action: UserAction, id: string): ApiCall {
  const path = `/v1/sandboxes/${encodeURIComponent(id)}`
  if (action === 'destroy') return { method: 'DELETE', path }
  if (action === 'snapshot') return { method: 'POST', path: '/v1/snapshots', json: { sandbox_id: id } }
  return { method: 'POST', path: `${path}/${action}` }
}
