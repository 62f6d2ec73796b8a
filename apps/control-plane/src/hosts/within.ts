// A deadline on a call to an agent.
import { AppError } from '@wrenn/base'

/** Throws `agent_error` when the time is over, and the caller's reason when that aborts first. */
export async function within<T>(
  timeoutMs: number,
  caller: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await call(caller ? AbortSignal.any([caller, timeout]) : timeout)
  } catch (cause) {
    if (!timeout.aborted || caller?.aborted) throw cause
    throw new AppError('agent_error', `The host agent did not answer within ${timeoutMs / 1_000} s`, {
      cause,
    })
  }
}
