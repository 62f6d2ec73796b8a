// Runs a handler as its request: what it calls knows the request's id, and the phases that are timed on the way, here
// and in the processes called, come back as Server-Timing (W3C Server Timing).
import { inRequest } from '@wrenn/base'

interface HandlerCall {
  requestId: string
  appendHeader: (name: string, value: string) => void
}

export function asRequest<Answer>(
  handler: (call: unknown) => Promise<Answer>,
): (call: unknown) => Promise<Answer> {
  return async (call) => {
    const { requestId, appendHeader } = call as HandlerCall
    const timings: string[] = []
    try {
      return await inRequest({ requestId, timings }, () => handler(call))
    } finally {
      if (timings.length > 0) appendHeader('server-timing', timings.join(', '))
    }
  }
}
