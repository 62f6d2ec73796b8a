import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentClient } from './agent-client.ts'
import { Folders } from './folders.ts'
import { controlPlaneSpec, hostAgentSpec } from './processes.ts'
import { parseSettings } from './settings.ts'

const secrets = {
  DATABASE_URL: 'postgres://user:password@db/wrenn',
  JWT_SECRET: 'x'.repeat(32),
  OAUTH_GITHUB_CLIENT_ID: 'id',
  OAUTH_GITHUB_CLIENT_SECRET: 'secret',
}
const others = { CP_PUBLIC_URL: 'https://wrenn.example.com', OAUTH_REDIRECT_URL: 'https://app.example.com' }

test('the control plane gets the settings of OAuth; the host agent, next to untrusted code, gets no secret', () => {
  const settings = parseSettings({ ...secrets, ...others, WRENN_DISK_MB: '512' })
  const folders = new Folders('/srv/wrenn')
  const { env: agent } = hostAgentSpec(settings, folders, new AgentClient(folders.agentSocket))
  const { env: controlPlane } = controlPlaneSpec(settings, folders, {
    databaseUrl: secrets.DATABASE_URL,
    dashboard: '/srv/cache/dashboard-1',
  })
  for (const [name, value] of Object.entries({ ...secrets, ...others }))
    assert.equal(controlPlane[name], value)
  for (const name of Object.keys(secrets)) assert.ok(!(name in agent), name)
  assert.equal(agent['WRENN_DISK_MB'], '512')
  assert.equal(controlPlane['WRENN_DASHBOARD_DIR'], '/srv/cache/dashboard-1')
})
