// A sandbox is active while something long is open: a stream, a transfer. Its last_active_at follows all the while.
import type { SandboxId } from '@wrenn/base'
import type { SandboxDeps } from './deps.ts'

const everyMs = 5_000

/** Marks the sandbox active from now until the function that comes back is called. */
export function holdActive({ activity }: Pick<SandboxDeps, 'activity'>, id: SandboxId): () => void {
  activity.add(id)
  const timer = setInterval(() => activity.add(id), everyMs).unref()
  return () => {
    clearInterval(timer)
    activity.add(id)
  }
}
