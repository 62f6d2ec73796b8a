// A control plane for tests: the real one, listening on a real port, on a real Postgres, with a fake agent.
import { createLogger } from '@wrenn/base'
import {
  startControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from '../../apps/control-plane/src/server.ts'
import { migrate } from '../../apps/control-plane/src/store/migrate.ts'
import { Api } from './api.ts'
import { FakeAgent } from './fake-agent.ts'
import { createPostgres, type TestPostgres } from './postgres.ts'

export interface Platform {
  postgres: TestPostgres
  databaseUrl: string
  agent: FakeAgent
  api: Api
  /** Another control plane on the same database and agent. */
  another(options?: Partial<ControlPlaneOptions>): Promise<ControlPlane & { api: Api }>
  /** Ends and removes everything. Fails when the agent ever answered what its contract does not allow. */
  remove(): Promise<void>
}

export async function createPlatform(options: Partial<ControlPlaneOptions> = {}): Promise<Platform> {
  const [postgres, agent] = await Promise.all([createPostgres(), FakeAgent.create()])
  const databaseUrl = await postgres.database()
  await migrate(databaseUrl)
  const running: ControlPlane[] = []
  const another = async (more: Partial<ControlPlaneOptions> = {}): Promise<ControlPlane & { api: Api }> => {
    const controlPlane = await startControlPlane({
      listen: { host: '127.0.0.1', port: 0 },
      databaseUrl,
      jwtSecret: 'a secret for tests, long enough for HS256',
      agentSocket: agent.socketPath,
      logger: createLogger('control-plane', process.env['TEST_LOG_LEVEL'] ?? 'silent'),
      reconcileIntervalMs: 50,
      ...options,
      ...more,
    })
    running.push(controlPlane)
    return { ...controlPlane, api: new Api(controlPlane.url) }
  }
  const { api } = await another()
  return {
    postgres,
    databaseUrl,
    agent,
    api,
    another,
    remove: async () => {
      await Promise.all(running.map((controlPlane) => controlPlane.close()))
      await agent.remove()
      await postgres.remove()
      if (agent.problems.length > 0)
        throw new Error(`the fake agent broke its contract: ${agent.problems.join('; ')}`)
    },
  }
}
