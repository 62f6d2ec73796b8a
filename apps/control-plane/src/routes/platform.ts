// GET /health and GET /openapi.yaml.
import type { Contract, PublicApi, PublicSchemas } from '@wrenn/contract'
import type { Agent } from '../hosts/agent.ts'
import { checkHealth, type Health } from '../services/health.ts'
import type { Database } from '../store/database.ts'
import type { PublicHandlers } from './handlers.ts'

export interface PlatformDeps {
  db: Database
  agent: Agent
  contract: Contract<PublicApi>
  version: string
}

export function platformHandlers(deps: PlatformDeps): Pick<PublicHandlers, 'health' | 'getContract'> {
  return {
    health: async () => {
      const health = await checkHealth(deps.db, deps.agent)
      const allOk = health.database.status === 'ok' && health.agent.status === 'ok'
      const body = {
        status: allOk ? ('ok' as const) : ('unavailable' as const),
        version: deps.version,
        database: databaseToWire(health.database),
        agent: agentToWire(health.agent),
      }
      return { status: allOk ? 200 : 503, body }
    },
    getContract: async () => ({ status: 200, contentType: 'application/yaml', body: deps.contract.text }),
  }
}

function databaseToWire(database: Health['database']): PublicSchemas['Health']['database'] {
  return database.status === 'ok' ? { status: 'ok' } : database
}

function agentToWire(agent: Health['agent']): PublicSchemas['Health']['agent'] {
  if (agent.status !== 'ok') return agent
  const { instance_id: _internal, ...facts } = agent.value
  return { status: 'ok', ...facts }
}
