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
}

const sandboxRowsSql = `select id, status, generation, reserved from sandboxes where status <> 'stopped'`

interface SnapshotRow {
  id: string
  status: string
}

export class Insight {
  readonly agent: Agent
  readonly #databaseUrl: string

  constructor(folder: string) {
    this.agent = new Agent({ socketPath: layout(folder).socket, contract: hostAgentContract() })
    this.#databaseUrl = embeddedUrl(join(folder, 'postgres'))
  }

  /** Each row or thing that has no counterpart, or another state than that. */
  async disagreements(): Promise<string[]> {
    const [sandboxRows, snapshotRows, sandboxes, snapshots] = await Promise.all([
      this.query<SandboxRow>(sandboxRowsSql),
      this.query<SnapshotRow>('select id, status from snapshots'),
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

function rowProblem(row: SandboxRow, sandbox: AgentSandbox | undefined): string[] {
  const wanted = row.status === 'error' ? 'failed' : row.status
  const state = sandbox ? `${sandbox.status} (${sandbox.generation})` : 'not there'
  if (state === `${wanted} (${row.generation})` && row.reserved === null) return []
  const shown = `${row.status} (${row.generation}), reserved ${row.reserved}`
  return [`the row of ${row.id} is ${shown}; it is ${state}`]
}

/** What came to nothing is kept for a while, and is no promise. */
function snapshotProblem({ id, status }: SnapshotRow, isMade: boolean): string[] {
  if (status === 'ready' ? isMade : status === 'abandoned' && !isMade) return []
  return [`the row of ${id} is ${status}, the agent has it: ${isMade}`]
}

function without(rows: { id: string }[], ids: Iterable<string>): string[] {
  const known = new Set(rows.map(({ id }) => id))
  const unknown = [...ids].filter((id) => !known.has(id))
  return unknown.map((id) => `the agent has ${id}, no row does`)
}
