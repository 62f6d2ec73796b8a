// Whether rows and reality agree: what the database says of sandboxes and snapshots, and what the agent has.
import { join } from 'node:path'
import { hostAgentContract } from '@wrenn/contract'
import { Client as Postgres } from 'pg'
import { Agent, type AgentSandbox } from '../../apps/control-plane/src/hosts/agent.ts'
import { layout } from '../../apps/host-agent/src/storage/layout.ts'
import { embeddedUrl } from '../../apps/launcher/src/postgres/cluster.ts'

interface SandboxRow {
  id: string
  status: string
  generation: string
  reserved: string | null
  /** Its creator, or who makes a snapshot of it, is thought to be at work. */
  leased: boolean
}

export interface Disagreement {
  what: string
  /** It lasts until the lease of whoever was killed at work on it runs out. */
  leased: boolean
}

const sandboxRowsSql = `
  select id, status, generation, reserved,
    coalesce(lease_expires_at > now(), false) or exists (
      select from snapshots where sandbox_id = s.id and snapshots.lease_expires_at > now()) as leased
  from sandboxes s where status <> 'stopped'`
const snapshotRowsSql = `
  select id, status, coalesce(lease_expires_at > now(), false) as leased from snapshots`

interface SnapshotRow {
  id: string
  status: string
  leased: boolean
}

export class Insight {
  readonly agent: Agent
  readonly #databaseUrl: string

  constructor(folder: string) {
    this.agent = new Agent({ socketPath: layout(folder).socket, contract: hostAgentContract() })
    this.#databaseUrl = embeddedUrl(join(folder, 'postgres'))
  }

  /** Each row or thing that has no counterpart, or another state than that. */
  async disagreements(): Promise<Disagreement[]> {
    const [sandboxRows, snapshotRows, sandboxes, snapshots] = await Promise.all([
      this.query<SandboxRow>(sandboxRowsSql),
      this.query<SnapshotRow>(snapshotRowsSql),
      this.agent.listSandboxes(),
      this.agent.listSnapshots(),
    ])
    const present = new Map(sandboxes.map((sandbox) => [sandbox.id, sandbox]))
    const made = new Set<string>(snapshots.map(({ key }) => key))
    return [
      ...sandboxRows.flatMap((row) => rowProblem(row, present.get(row.id))),
      ...without(sandboxRows, present.keys()),
      ...snapshotRows.flatMap((row) => snapshotProblem(row, made.has(row.id))),
      ...without(snapshotRows, made),
    ]
  }

  async query<Row extends object>(sql: string): Promise<Row[]> {
    const client = new Postgres({ connectionString: this.#databaseUrl })
    await client.connect()
    try {
      return (await client.query<Row>(sql)).rows
    } finally {
      await client.end()
    }
  }
}

function rowProblem(row: SandboxRow, sandbox: AgentSandbox | undefined): Disagreement[] {
  const wanted = row.status === 'error' ? 'failed' : row.status
  const state = sandbox ? `${sandbox.status} (${sandbox.generation})` : 'not there'
  if (state === `${wanted} (${row.generation})` && row.reserved === null) return []
  const shown = `${row.status} (${row.generation}), reserved ${row.reserved}`
  return [{ what: `the row of ${row.id} is ${shown}; it is ${state}`, leased: row.leased }]
}

/** What came to nothing is kept for a while, and is no promise. */
function snapshotProblem({ id, status, leased }: SnapshotRow, isMade: boolean): Disagreement[] {
  if (status === 'ready' ? isMade : status === 'abandoned' && !isMade) return []
  return [{ what: `the row of ${id} is ${status}, the agent has it: ${isMade}`, leased }]
}

function without(rows: { id: string }[], ids: Iterable<string>): Disagreement[] {
  const known = new Set(rows.map(({ id }) => id))
  const unknown = [...ids].filter((id) => !known.has(id))
  return unknown.map((id) => ({ what: `the agent has ${id}, no row does`, leased: false }))
}
