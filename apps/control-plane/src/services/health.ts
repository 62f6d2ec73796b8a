// What is up: asked now, each with a short deadline.
import { AppError, withDeadline } from '@wrenn/base'
import type { Agent, AgentHealth } from '../hosts/agent.ts'
import { databasePing, type Database } from '../store/database.ts'

type Part<T> = { status: 'ok'; value: T } | { status: 'unavailable'; reason: string }

export interface Health {
  database: Part<void>
  agent: Part<AgentHealth>
}

const deadlineMs = 1_000

export async function checkHealth(db: Database, agent: Agent): Promise<Health> {
  const [database, agentPart] = await Promise.all([
    part('The database', databasePing(db)),
    part('The host agent', agent.health()),
  ])
  return { database, agent: agentPart }
}

async function part<T>(name: string, answer: Promise<T>): Promise<Part<T>> {
  try {
    return { status: 'ok', value: await withDeadline(name, deadlineMs, answer) }
  } catch (error) {
    // Only what is meant for a caller: the text of other errors may name paths and addresses of the server.
    const reason = error instanceof AppError ? error.message : `${name} does not answer`
    return { status: 'unavailable', reason }
  }
}
