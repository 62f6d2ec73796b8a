// Ends a shell, whether a screen is linked to it or not, and waits until it has ended.
import { WrennError, type Wrenn } from '@wrenn/sdk'

/** The server kills what is left after 5 s. */
const timeoutMs = 30_000

/** One that is gone already is fine. Throws when it cannot be reached, or does not end. */
export async function stopTerminal(wrenn: Wrenn, sandboxId: string, pid: number): Promise<void> {
  const pty = wrenn.sandboxes.pty(sandboxId, { pid }, { signal: AbortSignal.timeout(timeoutMs) })
  pty.stop()
  try {
    for await (const { type } of pty) if (type === 'exit') return
  } catch (error) {
    if (error instanceof WrennError && error.code === 'not_found') return
    throw error
  }
}
