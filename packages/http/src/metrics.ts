// Prometheus metrics of a process, on a listen address of their own: what they say is for the operator, not for callers.
import { createServer, type Server } from 'node:http'
import { Histogram, type Registry } from 'prom-client'
import type { FinishedRequest } from './server.ts'

export { Gauge, Registry } from 'prom-client'

/** From a warm exec to a create that boots a template under emulation. */
const bucketsSec = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Counts requests by operation and status, and phases (Server-Timing) by operation. Give it to the server. */
export function requestMetrics(registry: Registry): (request: FinishedRequest) => void {
  const requests = new Histogram({
    name: 'wrenn_request_seconds',
    help: 'Requests by operation and status; "gone": the client did not wait for the answer.',
    labelNames: ['op', 'status'],
    buckets: bucketsSec,
    registers: [registry],
  })
  const phases = new Histogram({
    name: 'wrenn_phase_seconds',
    help: 'Phases of requests: place, restore and guest of creates, exec of commands.',
    labelNames: ['op', 'phase'],
    buckets: bucketsSec,
    registers: [registry],
  })
  return ({ op, status, durationMs, serverTiming }) => {
    requests.observe({ op, status: status ?? 'gone' }, durationMs / 1_000)
    for (const [, phase = '', ms] of serverTiming.matchAll(/(\w+);dur=([\d.]+)/g))
      phases.observe({ op, phase }, Number(ms) / 1_000)
  }
}

/** Serves GET /metrics. Returns when it listens. */
export async function serveMetrics(
  registry: Registry,
  listen: { host: string; port: number },
): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(503).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(listen.port, listen.host, resolve)
  })
  return server
}
