// Which action is legal in which state of a sandbox, and how a refusal reads. Services refuse by it, the dashboard
// disables by it. Imports nothing, so that a browser can load it.

export type SandboxStatus = 'pending' | 'running' | 'paused' | 'stopped' | 'error'

export type SandboxAction =
  | 'exec'
  | 'ping'
  | 'files'
  | 'watch'
  | 'pty'
  | 'metrics'
  | 'pause'
  | 'resume'
  | 'snapshot'
  | 'destroy'

/** The states in which each action is legal. */
export const sandboxCan = {
  exec: ['running'],
  ping: ['running'],
  files: ['running'],
  watch: ['running'],
  pty: ['running'],
  metrics: ['running'],
  pause: ['running'],
  resume: ['paused'],
  snapshot: ['running', 'paused'],
  // A stopped one is destroyed already: to ask for it again is no error, and of no use.
  destroy: ['pending', 'running', 'paused', 'error'],
} as const satisfies Record<SandboxAction, readonly SandboxStatus[]>

/**
 * Why a sandbox in this state refuses the action ("Sandbox is paused; exec needs it running"); undefined when it is
 * legal. `name` begins the sentence.
 */
export function whySandboxCannot(
  action: SandboxAction,
  status: SandboxStatus,
  name = 'Sandbox',
): string | undefined {
  const legal: readonly SandboxStatus[] = sandboxCan[action]
  if (legal.includes(status)) return undefined
  const last = legal.at(-1) ?? ''
  const needed = legal.length > 1 ? `${legal.slice(0, -1).join(', ')} or ${last}` : last
  return `${name} is ${status}; ${action} needs it ${needed}`
}
