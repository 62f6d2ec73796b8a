// Ending a server: stop accepting, give requests in flight some time, then cut what is left. Fastify's own close waits
// for connections, not requests: one that a browser opened ahead of need would hold it up until it times out.
import { pollUntil, withDeadline } from '@wrenn/base'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns when nothing is open any more. True: every request in flight had its answer. */
    closeGracefully(deadlineMs: number): Promise<boolean>
  }
}

const stopAcceptingMs = 1_000

export function addGracefulClose(fastify: FastifyInstance): void {
  let inFlight = 0
  let onIdle: () => void = () => undefined
  fastify.server.on('request', (_request, response) => {
    inFlight += 1
    response.once('close', () => {
      inFlight -= 1
      if (inFlight === 0) onIdle()
    })
  })
  const idle = (): Promise<void> =>
    new Promise((resolve) => {
      onIdle = resolve
      if (inFlight === 0) resolve()
    })

  fastify.decorate('closeGracefully', async (deadlineMs: number) => {
    const closed = fastify.close()
    await pollUntil('the server stops accepting', () => !fastify.server.listening || undefined, {
      timeoutMs: stopAcceptingMs,
      intervalMs: 1,
    })
    const finished = await withDeadline('requests in flight', deadlineMs, idle()).then(
      () => true,
      () => false,
    )
    fastify.server.closeAllConnections()
    await closed
    return finished
  })
}
