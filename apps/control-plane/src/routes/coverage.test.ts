// Walks the contract: every operation has a case in cases/ for each status that it documents, and each
// is asked for over HTTP and held against the contract. Those with credentials are tried without, with bad ones and as
// another team.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { publicContract, type PublicSchemas } from '@wrenn/contract'
import { answersOf, createWorld, givenFor, goodCall, type World } from './cases/given.ts'
import { cases } from './cases/all.ts'
import type { Id } from './cases/case.ts'
import { lacks } from './cases/lacks.ts'

const operations = [...publicContract().operations.values()]
const guarded = operations.filter(({ securitySchemes }) => securitySchemes.length > 0)

describe('every operation of the contract', () => {
  let world: World

  before(async () => {
    world = await createWorld()
  })

  afterEach(() => world.platform.agent.heal())

  after(() => world?.platform.remove())

  it('has a case for each status that it documents, and nothing else has one', () => {
    assert.deepEqual(lacks(operations, cases), [])
  })

  for (const { id: name } of operations) {
    const id = name as Id
    for (const [status, prepare] of answersOf(id)) {
      it(`${id} answers ${status}`, async () => {
        const { at = world.platform.api, ...call } = await prepare(givenFor(world, id))
        const answer = await at.call<Partial<PublicSchemas['Error']>>(id, call)
        assert.equal(answer.status, status, JSON.stringify(answer.body))
        if (status === 429 || (status === 503 && answer.body.error !== undefined))
          assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
      })
    }
  }

  for (const { id: name, securitySchemes } of guarded) {
    const id = name as Id
    const wrong = {
      'an unknown key': { 'x-api-key': `wrn_${'0'.repeat(40)}` },
      'a malformed key': { 'x-api-key': "wrn_' or 1=1" },
      'a malformed token': { authorization: 'Bearer a.b.c' },
      'another scheme': { authorization: 'Basic dXNlcjpwYXNz' },
      'an empty token': { authorization: 'Bearer ' },
    }
    for (const [what, headers] of Object.entries(wrong)) {
      it(`${id} refuses ${what}`, async () => {
        const { as: _owner, ...call } = await goodCall(world, id)
        await world.platform.api.refused('unauthorized', id, {
          ...call,
          headers: { ...call.headers, ...headers },
        })
      })
    }

    it(`${id} gives another team nothing`, async () => {
      const { stranger, platform } = world
      const call = await goodCall(world, id)
      const before = await ownersView()
      const takesKeys = securitySchemes.includes('apiKeyAuth')
      const foreign = { ...call, as: takesKeys ? stranger : { token: stranger.token } }
      if (cases[id].foreign === 'not_found') await platform.api.refused('not_found', id, foreign)
      else {
        const { status, body } = await platform.api.call(id, foreign)
        assert.ok(status < 300)
        for (const secret of before.secrets) assert.ok(!JSON.stringify(body).includes(secret))
      }
      assert.deepEqual(await ownersView(), before)
      for (const { id } of before.sandboxes) assert.ok(platform.agent.sandboxes.has(id))
    })

    it(`${id} lets its owner in by every scheme that the contract names`, async () => {
      const { owner, platform } = world
      const credentials = { apiKeyAuth: { apiKey: owner.apiKey }, bearerAuth: { token: owner.token } }
      for (const scheme of securitySchemes) {
        const as = credentials[scheme as keyof typeof credentials]
        const { status } = await platform.api.call(id, { ...(await goodCall(world, id)), as })
        assert.equal(status, answersOf(id)[0]?.[0], scheme)
      }
    })
  }

  /** What the owner sees, and what of it nobody else may. Without what is written late, in the background. */
  async function ownersView() {
    const { owner, platform } = world
    const as = { token: owner.token }
    const keys = await platform.api.expect<PublicSchemas['APIKeyResponse'][]>(200, 'listAPIKeys', { as })
    const listed = await platform.api.list(as)
    const sandboxes = listed.map(({ last_active_at: _late, last_updated: _too, ...sandbox }) => sandbox)
    const secrets = [owner.teamId, ...[...keys, ...sandboxes].map(({ id }) => id)]
    return { secrets, sandboxes, keys: keys.map(({ last_used: _late, ...key }) => key) }
  }
})
