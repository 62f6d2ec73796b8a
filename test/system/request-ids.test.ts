// One request in every log line of every process that it touches, and what its phases took, on a real platform.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pollUntil } from '@wrenn/base'
import { TestPlatform } from '../support/real-platform.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
})

after(() => platform?.remove())

interface Line {
  op: string
  outcome: string
  requestId?: string
}

/** What both logs say about a request, once both say something. */
async function logged(requestId: string): Promise<{ controlPlane: Line[]; agent: Line[] }> {
  const lines = async (name: 'control-plane' | 'host-agent'): Promise<Line[]> =>
    (await platform.log(name))
      .split('\n')
      .filter((text) => text.includes(`"${requestId}"`))
      .map((text) => JSON.parse(text) as Line)
  return pollUntil(
    `${requestId} is in both logs`,
    async () => {
      const [controlPlane, agent] = await Promise.all([lines('control-plane'), lines('host-agent')])
      return controlPlane.length > 0 && agent.length > 0 ? { controlPlane, agent } : undefined
    },
    { timeoutMs: 10_000 },
  )
}

async function send(requestId: string, path: string, body: object): Promise<Response> {
  const headers = { 'x-api-key': user.key, 'x-request-id': requestId, 'content-type': 'application/json' }
  return fetch(platform.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
}

test('a create and a command carry their id through both processes, and tell their phases', async () => {
  const create = await send('trace-create', '/v1/sandboxes', { memory_mb: 128 })
  assert.equal(create.status, 201)
  assert.equal(create.headers.get('x-request-id'), 'trace-create')
  const phases = (answer: Response): string[] =>
    [...(answer.headers.get('server-timing') ?? '').matchAll(/(\w+);dur=[\d.]+/g)].map(
      ([, name = '']) => name,
    )
  assert.deepEqual(new Set(phases(create)), new Set(['place', 'restore', 'guest']))
  const { id } = (await create.json()) as { id: string }
  const exec = await send('trace-exec', `/v1/sandboxes/${id}/exec`, { cmd: 'true' })
  assert.equal(exec.status, 200)
  assert.deepEqual(phases(exec), ['exec'])
  await user.destroy(id)

  const created = await logged('trace-create')
  for (const lines of [created.controlPlane, created.agent])
    assert.ok(lines.some(({ op, outcome }) => op === 'createSandbox' && outcome === 'ok'))
  const executed = await logged('trace-exec')
  assert.ok(executed.controlPlane.some(({ op, outcome }) => op === 'execCommand' && outcome === 'ok'))
  assert.ok(executed.agent.some(({ op, outcome }) => op === 'exec' && outcome === 'ok'))
})

test('a command that is refused by the guest keeps its id at the agent', async () => {
  const { id } = await user.create({ memory_mb: 128 })
  const exec = await send('trace-refused', `/v1/sandboxes/${id}/exec`, { cmd: 'true', cwd: '/nowhere' })
  assert.equal(exec.status, 400)
  const { controlPlane, agent } = await logged('trace-refused')
  for (const lines of [controlPlane, agent]) assert.ok(lines.some(({ outcome }) => outcome === 'refused'))
  await user.destroy(id)
})
