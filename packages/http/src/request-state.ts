// What the HTTP layer remembers about one request, from its first byte to its log line. Kept on the Fastify request.
import type { AppError } from '@wrenn/base'
import type { FastifyReply } from 'fastify'

export interface RequestState {
  /** The operationId; undefined while no route has matched. */
  op: string | undefined
  /** What the operation takes as a body. */
  body: 'none' | 'json' | 'raw'
  /** Of such a body. Undefined while no route has matched. */
  contentTypes: readonly string[] | undefined
  auth: unknown
  abort: AbortController
  /** The answer is sent, although it has not ended: what the client does now is no matter. */
  isAnswered: boolean
  /** Ids for the log line. */
  fields: Record<string, string | number>
  error: AppError | undefined
  startedAt: number
  /** Writes the log line. Without a status: the client went away before its answer. */
  finish: (status: number | undefined) => void
  appendHeader: (name: string, value: string) => void
}

declare module 'fastify' {
  interface FastifyRequest {
    wrenn: RequestState
  }
}

export function newRequestState(reply: FastifyReply): RequestState {
  return {
    op: undefined,
    body: 'none',
    contentTypes: undefined,
    auth: undefined,
    abort: new AbortController(),
    isAnswered: false,
    fields: {},
    error: undefined,
    startedAt: performance.now(),
    finish: () => undefined,
    appendHeader: (name, value) => {
      const before = reply.getHeader(name)?.toString()
      void reply.header(name, before === undefined ? value : `${before}, ${value}`)
    },
  }
}
