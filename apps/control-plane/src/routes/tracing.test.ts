// One id for a request in every process and log line, and how long its phases took.
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { AppError, createLogger } from '@wrenn/base'
import type { Account } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'

describe('a request', () => {
  let platform: Platform
  let as: Account
  const lines: Record<string, unknown>[] = []

  before(async () => {
    const output = new PassThrough()
    output.on('data', (line: Buffer) => lines.push(JSON.parse(line.toString()) as Record<string, unknown>))
    const logger = createLogger('control-plane', 'info', output)
    platform = await createPlatform({ logger })
    as = await platform.api.account()
  })

  after(() => platform.remove())

  it('keeps its id at the agent and in every log line, and background work has none', async () => {
    const failing = async (): Promise<never> => {
      throw new AppError('agent_error', 'injected')
    }
    const headers = { 'x-request-id': 'trace-1' }
    platform.agent.on('createSandbox', { before: failing })
    platform.agent.on('destroySandbox', { before: failing })
    await platform.api.refused('agent_error', 'createSandbox', { as, body: {}, headers })
    platform.agent.heal()
    assert.ok(platform.agent.requestIds.has('trace-1'))
    const traced = lines.filter(({ requestId }) => requestId === 'trace-1').map(({ op }) => op)
    assert.deepEqual(new Set(traced), new Set(['createSandbox', 'undoCreate']))
  })

  it('says how long its phases took, those at the agent included', async () => {
    const create = await platform.api.call<{ id: string }>('createSandbox', { as, body: {} })
    assert.match(create.headers.get('server-timing') ?? '', /^place;dur=[\d.]+, fake;dur=[\d.]+$/)
    const params = { id: create.body.id }
    const exec = await platform.api.call('execCommand', { as, params, body: { cmd: 'echo' } })
    assert.match(exec.headers.get('server-timing') ?? '', /^fake;dur=[\d.]+$/)
    const get = await platform.api.call('getSandbox', { as, params })
    assert.equal(get.headers.get('server-timing'), null)
  })
})
