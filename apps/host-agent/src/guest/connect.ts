// Connecting to a guest that may not be up yet. The kernel resends a lost SYN only after a second, and a port that
// nobody listens on refuses at once: so a new attempt starts every quarter of a second, or soon after a refusal, beside
// those that are still waiting. The first that connects wins.
import { connect, type Socket } from 'node:net'
import { DeadlineError } from '@wrenn/base'

const nextAttemptMs = 250
const afterRefusalMs = 10

export function connectPersistently(
  address: { host: string; port: number },
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const attempts = new Set<Socket>()
    let timer: NodeJS.Timeout | undefined
    let lastError: Error | undefined

    const finish = (settle: () => void, winner?: Socket): void => {
      clearTimeout(timer)
      clearTimeout(deadline)
      options.signal.removeEventListener('abort', onAbort)
      for (const socket of attempts) if (socket !== winner) socket.destroy()
      attempts.clear()
      settle()
    }
    const fail = (error: Error): void => finish(() => reject(error))
    const onAbort = (): void => fail(options.signal.reason as Error)
    const deadline = setTimeout(
      () => fail(new DeadlineError('connecting to the guest', options.timeoutMs, lastError)),
      options.timeoutMs,
    )
    const attempt = (): void => {
      const socket = connect({ ...address, noDelay: true })
      attempts.add(socket)
      timer = setTimeout(attempt, nextAttemptMs)
      socket.once('connect', () => {
        socket.removeAllListeners('error')
        finish(() => resolve(socket), socket)
      })
      socket.once('error', (error) => {
        // Destroyed losers report nothing; a refused attempt is tried again shortly.
        if (!attempts.delete(socket)) return
        lastError = error
        clearTimeout(timer)
        timer = setTimeout(attempt, afterRefusalMs)
      })
    }
    if (options.signal.aborted) return onAbort()
    options.signal.addEventListener('abort', onAbort, { once: true })
    attempt()
  })
}
