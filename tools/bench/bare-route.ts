// The floor of GET /v1/sandboxes/{id}: Fastify, one route, one prepared and indexed query, the same answer. A process of
// its own with a connection pool as large as the control plane's, and nothing else that a platform needs: no
// authentication, no limits, no validation, no log. Prints its URL.
import createFastify from 'fastify'
import { Pool } from 'pg'

interface Row {
  id: string
  status: string
  status_reason: string | null
  template: string
  vcpus: number
  memory_mb: number
  timeout_sec: number
  on_timeout: string
  metadata: Record<string, string>
  guest_ip: string | null
  host_ip: string | null
  created_at: Date
  started_at: Date | null
  last_active_at: Date | null
  last_updated: Date
}

const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 10 })
const fastify = createFastify({ logger: false })

fastify.get<{ Params: { id: string } }>('/v1/sandboxes/:id', async (request, reply) => {
  const { rows } = await pool.query<Row>({
    name: 'sandbox',
    text: 'select * from sandboxes where id = $1',
    values: [request.params.id],
  })
  const [row] = rows
  if (!row) return reply.code(404).send()
  return {
    id: row.id,
    status: row.status,
    ...(row.status_reason === null ? {} : { status_reason: row.status_reason }),
    template: row.template,
    vcpus: row.vcpus,
    memory_mb: row.memory_mb,
    timeout_sec: row.timeout_sec,
    on_timeout: row.on_timeout,
    metadata: row.metadata,
    ...(row.guest_ip === null ? {} : { guest_ip: row.guest_ip }),
    ...(row.host_ip === null ? {} : { host_ip: row.host_ip }),
    created_at: row.created_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    last_active_at: row.last_active_at?.toISOString() ?? null,
    last_updated: row.last_updated.toISOString(),
  }
})

console.log(await fastify.listen({ host: '127.0.0.1', port: 0 }))
