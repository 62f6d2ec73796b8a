// One HTTP request on a kept connection, and the one case in which it is sent again: the peer had closed that connection
// (it was restarted) and the request never reached it.
import { request as httpRequest, type Agent, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { freeChunk, freeWhatIsRead, isErrno, pipeBody } from '@wrenn/base'

export interface Outgoing {
  target: { socketPath: string } | { host: string; port: number }
  method: string
  path: string
  headers: Record<string, string>
  /** A stream is read as far as the peer wants it, and not destroyed. Its chunks are freed. */
  body: Readable | string | undefined
  signal: AbortSignal | undefined
}

/** The kept connection was dead; nothing has happened. */
class StaleConnectionError extends Error {}

/** Resolves with the beginning of the answer. Throws what the transport throws. */
export async function send(outgoing: Outgoing, agent: Agent): Promise<IncomingMessage> {
  try {
    return await sendOnce(outgoing, agent)
  } catch (error) {
    if (!(error instanceof StaleConnectionError)) throw error
    return sendOnce(outgoing, false)
  }
}

function sendOnce(outgoing: Outgoing, agent: Agent | false): Promise<IncomingMessage> {
  const { target, method, path, body, signal } = outgoing
  const length = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      ...target,
      agent,
      method,
      path,
      headers: { ...length, ...outgoing.headers },
      ...(signal ? { signal } : {}),
    })
    request.on('response', (answer) => {
      // Before it had everything: it wants no more, and the connection is of no use any more.
      if (!request.writableFinished) answer.once('close', () => request.destroy())
      resolve(answer)
    })
    request.on('error', (error) => {
      const stale = request.reusedSocket && isStale(error, outgoing)
      reject(stale ? new StaleConnectionError('stale', { cause: error }) : error)
    })
    freeWhatIsRead(request)
    if (body instanceof Readable) pipeBody(body, request, freeChunk)
    else request.end(body)
  })
}

/** EPIPE: the peer had closed before we wrote. A reset may come later, so that only what may be repeated is. */
function isStale(error: Error, { method, body }: Outgoing): boolean {
  if (body instanceof Readable) return false
  return isErrno(error, 'EPIPE') || (method !== 'POST' && isErrno(error, 'ECONNRESET'))
}
