// Who may read answers from another origin, and whose word counts for where a request comes from.
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { createLogger } from '@wrenn/base'
import { loadContract, type AnyApi } from '@wrenn/contract'
import { createContractServer } from './server.ts'

const contract = loadContract<AnyApi>(`
openapi: 3.1.0
paths:
  /address:
    get:
      operationId: address
      responses:
        "200":
          description: Where the request comes from
          content: { application/json: { schema: { type: object } } }
`)

describe('a server', () => {
  let close: (() => Promise<void>) | undefined

  afterEach(() => close?.())

  async function start(options: { corsOrigins?: string[]; trustedProxies?: string[] }): Promise<string> {
    const address = async (call: { address: string }): Promise<unknown> => ({
      status: 200,
      body: { address: call.address },
    })
    const server = await createContractServer({
      contract,
      handlers: { address },
      logger: createLogger('test', 'silent'),
      ...options,
    })
    await server.listen({ host: '127.0.0.1', port: 0 })
    close = () => server.close()
    return `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`
  }

  const ours = 'https://app.example.com'
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' }

  it('lets a named origin read every answer, also a refusal, without credentials', async () => {
    const url = await start({ corsOrigins: [ours] })
    for (const path of ['/address', '/nothing']) {
      const { headers } = await fetch(`${url}${path}`, { headers: { origin: ours } })
      assert.equal(headers.get('access-control-allow-origin'), ours)
      assert.match(headers.get('access-control-expose-headers') ?? '', /x-request-id/)
      assert.equal(headers.get('access-control-allow-credentials'), null)
      assert.equal(headers.get('vary'), 'origin')
    }
  })

  it('answers the preflight of a named origin', async () => {
    const url = await start({ corsOrigins: [ours] })
    const answer = await fetch(`${url}/address`, {
      method: 'OPTIONS',
      headers: { origin: ours, ...preflight },
    })
    assert.equal(answer.status, 204)
    assert.match(answer.headers.get('access-control-allow-headers') ?? '', /x-api-key/)
    assert.match(answer.headers.get('access-control-allow-methods') ?? '', /POST/)
    assert.equal(answer.headers.get('access-control-max-age'), '600')
  })

  it('tells other origins nothing, and without settings all of them', async () => {
    for (const corsOrigins of [[ours], []]) {
      const url = await start({ corsOrigins })
      for (const origin of ['https://evil.test', 'https://app.example.com.evil.test', 'null']) {
        for (const method of ['GET', 'OPTIONS']) {
          const { headers } = await fetch(`${url}/address`, { method, headers: { origin, ...preflight } })
          assert.equal(headers.get('access-control-allow-origin'), null)
          assert.equal(headers.get('access-control-allow-methods'), null)
        }
      }
      await close?.()
    }
  })

  async function address(url: string, forwarded: string): Promise<unknown> {
    const response = await fetch(`${url}/address`, { headers: { 'x-forwarded-for': forwarded } })
    return ((await response.json()) as { address: unknown }).address
  }

  it('believes X-Forwarded-For of nobody by default', async () => {
    assert.equal(await address(await start({}), '203.0.113.7'), '127.0.0.1')
    await close?.()
    assert.equal(await address(await start({ trustedProxies: ['10.0.0.0/8'] }), '203.0.113.7'), '127.0.0.1')
  })

  it('believes a trusted proxy, up to the first address that is not one', async () => {
    const url = await start({ trustedProxies: ['127.0.0.0/8', '10.0.0.1'] })
    assert.equal(await address(url, '203.0.113.7'), '203.0.113.7')
    assert.equal(await address(url, '1.2.3.4, 203.0.113.7, 10.0.0.1'), '203.0.113.7')
    assert.equal(await address(url, '1.2.3.4, 10.0.0.2'), '10.0.0.2')
  })
})
