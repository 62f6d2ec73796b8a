// Walks the contract: an operation that is served needs a case here, and each case is tried without credentials, with
// bad ones, and by another team.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { publicContract, type OperationId, type PublicApi, type PublicSchemas } from '@wrenn/contract'
import type { Account, ApiCall } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'
import { laterOperations } from './later-operations.ts'

type Id = OperationId<PublicApi>

/** A request of the owner's that succeeds, and what another team gets for it. */
interface Case {
  call: (mine: Mine) => ApiCall
  foreign: 'not_found' | 'own data only' | 'no effect'
}

interface Mine {
  sandboxId: string
  keyId: string
}

const open: Id[] = [
  'health',
  'getContract',
  'getDocs',
  'getDocsFile',
  'signup',
  'login',
  'oauthRedirect',
  'oauthCallback',
]

function each(ids: Id[], one: Case): Partial<Record<Id, Case>> {
  return Object.fromEntries(ids.map((id) => [id, one]))
}

const cases: Partial<Record<Id, Case>> = {
  createAPIKey: { call: () => ({ body: {} }), foreign: 'own data only' },
  listAPIKeys: { call: () => ({}), foreign: 'own data only' },
  deleteAPIKey: { call: ({ keyId }) => ({ params: { id: keyId } }), foreign: 'no effect' },
  createSandbox: { call: () => ({ body: {} }), foreign: 'own data only' },
  listSandboxes: { call: () => ({}), foreign: 'own data only' },
  getSandbox: { call: ({ sandboxId }) => ({ params: { id: sandboxId } }), foreign: 'not_found' },
  destroySandbox: { call: ({ sandboxId }) => ({ params: { id: sandboxId } }), foreign: 'not_found' },
  execCommand: {
    call: ({ sandboxId }) => ({ params: { id: sandboxId }, body: { cmd: 'echo' } }),
    foreign: 'not_found',
  },
  ...each(['uploadFile', 'streamUploadFile'], {
    call: ({ sandboxId }) => ({ params: { id: sandboxId }, body: uploadForm() }),
    foreign: 'not_found',
  }),
  ...each(['downloadFile', 'streamDownloadFile'], {
    call: ({ sandboxId }) => ({ params: { id: sandboxId }, body: { path: '/root/there' } }),
    foreign: 'not_found',
  }),
  execStream: { call: ({ sandboxId }) => ({ params: { id: sandboxId } }), foreign: 'not_found' },
  pingSandbox: { call: ({ sandboxId }) => ({ params: { id: sandboxId } }), foreign: 'not_found' },
}

function uploadForm(): FormData {
  const form = new FormData()
  form.set('path', '/root/file')
  form.set('file', new Blob(['content']))
  return form
}

const operations = [...publicContract().operations.values()]
const later: readonly string[] = laterOperations
const guarded = operations.filter(
  ({ id, securitySchemes }) => securitySchemes.length > 0 && !later.includes(id),
)

describe('every operation of the contract', () => {
  let platform: Platform
  let owner: Account
  let stranger: Account
  let mine: Mine

  before(async () => {
    platform = await createPlatform()
    const { api } = platform
    platform.agent.files.set('/root/there', Buffer.from('content'))
    ;[owner, stranger] = await Promise.all([api.account(), api.account()])
    const sandbox = await api.create(owner)
    const [key] = await api.expect<PublicSchemas['APIKeyResponse'][]>(200, 'listAPIKeys', {
      as: { token: owner.token },
    })
    mine = { sandboxId: sandbox.id, keyId: key?.id ?? '' }
  })

  after(() => platform.remove())

  it('is open, guarded with a case here, or a later one', () => {
    const known = [...open, ...Object.keys(cases), ...later]
    assert.deepEqual(known.toSorted(), operations.map(({ id }) => id).toSorted())
  })

  it('is later only when it was later in the beginning', () => {
    const first =
      'oauthRedirect oauthCallback pauseSandbox resumeSandbox createSnapshot listSnapshots deleteSnapshot'
    const streams = 'uploadFile downloadFile execStream streamUploadFile streamDownloadFile'
    for (const id of later) assert.ok(`${first} ${streams}`.split(' ').includes(id), id)
  })

  it('answers 404 when it is a later one', async () => {
    for (const { id, path, method } of operations.filter(({ id }) => later.includes(id))) {
      const url = platform.api.url + path.replaceAll(/\{\w+\}/g, 'github')
      const response = await fetch(url, { method, headers: { 'x-api-key': owner.apiKey } })
      assert.equal(response.status, 404, id)
      assert.equal(((await response.json()) as PublicSchemas['Error']).error.code, 'not_found', id)
    }
  })

  for (const operation of guarded) {
    const id = operation.id as Id
    const wrong = {
      'no credential': {},
      'an unknown key': { 'x-api-key': `wrn_${'0'.repeat(40)}` },
      'a malformed key': { 'x-api-key': "wrn_' or 1=1" },
      'a malformed token': { authorization: 'Bearer a.b.c' },
      'another scheme': { authorization: 'Basic dXNlcjpwYXNz' },
      'an empty token': { authorization: 'Bearer ' },
    }
    for (const [name, headers] of Object.entries(wrong)) {
      it(`${id} refuses ${name}`, async () => {
        const call = cases[id]?.call(mine)
        await platform.api.refused('unauthorized', id, { ...call, headers })
      })
    }

    it(`${id} gives another team nothing`, async () => {
      const { api, agent } = platform
      const each = cases[id]
      assert.ok(each)
      const before = await snapshot()
      const as = operation.securitySchemes.includes('apiKeyAuth') ? stranger : { token: stranger.token }
      const call = { as, ...each.call(mine) }
      if (each.foreign === 'not_found') await api.refused('not_found', id, call)
      else {
        const { status, body } = await api.call(id, call)
        assert.ok(status < 300)
        for (const secret of [owner.teamId, ...Object.values(mine)])
          assert.ok(!JSON.stringify(body).includes(secret))
      }
      assert.deepEqual(await snapshot(), before)
      assert.ok(agent.sandboxes.has(mine.sandboxId))
    })
  }

  for (const { id, securitySchemes } of guarded) {
    const operation = id as Id
    it(`${id} lets its owner in by every scheme that the contract names`, async () => {
      const credentials = { apiKeyAuth: { apiKey: owner.apiKey }, bearerAuth: { token: owner.token } }
      for (const scheme of securitySchemes) {
        const as = credentials[scheme as keyof typeof credentials]
        // Of its own: some of them delete what they are called on.
        const { id: sandboxId } = await platform.api.create(owner)
        const { status } = await platform.api.call(operation, {
          as,
          ...cases[operation]?.call({ ...mine, sandboxId, keyId: 'key-none' }),
        })
        // A WebSocket, called without an upgrade: in, and no further.
        assert.ok(status < 300 || (operation === 'execStream' && status === 426), scheme)
      }
    })
  }

  /** What the owner sees. */
  async function snapshot(): Promise<unknown> {
    const { api } = platform
    const keys = await api.expect<PublicSchemas['APIKeyResponse'][]>(200, 'listAPIKeys', {
      as: { token: owner.token },
    })
    return {
      keys: keys.map(({ last_used: _changes, ...key }) => key),
      sandboxes: await api.list({ token: owner.token }),
    }
  }
})
