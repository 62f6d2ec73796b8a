// Cross-origin requests (WHATWG Fetch, "CORS protocol"): the origins named in the settings may read our answers, and no
// others. Credentials travel in headers that scripts set, never in cookies: so Access-Control-Allow-Credentials is never
// sent, and there is no wildcard.
import type { FastifyInstance, FastifyRequest } from 'fastify'

const exposed = 'x-request-id, link, retry-after, ratelimit, ratelimit-policy, server-timing'
const requestHeaders = 'authorization, x-api-key, content-type, idempotency-key, x-request-id'
const preflightLifetimeSec = 600

/** Must come before the contract's routes: it answers preflights. `origins`: as browsers send them. */
export function addCors(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  fastify.addHook('onRequest', async (request, reply) => {
    // Also where nothing is allowed: a cache must not give one origin's answer to another.
    reply.header('vary', 'origin')
    const { origin } = request.headers
    if (origin === undefined || !origins.includes(origin)) return undefined
    reply.header('access-control-allow-origin', origin)
    if (!isPreflight(request)) {
      reply.header('access-control-expose-headers', exposed)
      return undefined
    }
    request.wrenn.op = 'preflight'
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': 'GET, POST, DELETE',
        'access-control-allow-headers': requestHeaders,
        'access-control-max-age': String(preflightLifetimeSec),
      })
      .send()
  })
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}
