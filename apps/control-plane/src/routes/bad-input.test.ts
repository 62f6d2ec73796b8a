// What callers get wrong: each gets the right status and code, and the platform is as it was before.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { newId } from '@wrenn/base'
import type { OperationId, PublicApi, PublicSchemas } from '@wrenn/contract'
import type { Account } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'

describe('bad input', () => {
  let platform: Platform
  let account: Account
  let sandbox: PublicSchemas['Sandbox']
  let callsBefore: number

  before(async () => {
    platform = await createPlatform()
    account = await platform.api.account()
    sandbox = await platform.api.create(account)
    callsBefore = callsThatChange()
  })

  after(() => platform.remove())

  // Whatever a test sent: one sandbox, running, and no call to the agent that changes anything.
  afterEach(async () => {
    const sandboxes = await platform.api.list(account)
    assert.deepEqual(sandboxes, [sandbox])
    assert.deepEqual([...platform.agent.sandboxes.keys()], [sandbox.id])
    assert.equal(callsThatChange(), callsBefore)
  })

  function callsThatChange(): number {
    const { agent } = platform
    return agent.count('createSandbox') + agent.count('destroySandbox') + agent.count('exec')
  }

  const createCases: [unknown, RegExp][] = [
    [{ template: 'a/b' }, /^template: /],
    [{ template: '../etc' }, /^template: /],
    [{ template: '' }, /^template: /],
    [{ template: 'a'.repeat(65) }, /^template: /],
    [{ template: 5 }, /^template: must be a string$/],
    [{ template: null }, /^template: must be a string$/],
    [{ vcpus: 0 }, /^vcpus: must be at least 1$/],
    [{ vcpus: -1 }, /^vcpus: must be at least 1$/],
    [{ vcpus: 33 }, /^vcpus: must be at most 32$/],
    [{ vcpus: 5 }, /^vcpus: must be at most 4, the cores of the host$/],
    [{ vcpus: 1.5 }, /^vcpus: must be an integer$/],
    [{ vcpus: '2' }, /^vcpus: must be an integer$/],
    [{ vcpus: true }, /^vcpus: must be an integer$/],
    [{ memory_mb: 10 * 1024 * 1024 }, /^memory_mb: must be at most 1048576$/],
    [{ memory_mb: 8193 }, /^memory_mb: must be at most 8192, the memory of the host$/],
    [{ memory_mb: 127 }, /^memory_mb: must be at least 128$/],
    [{ memory_mb: 1e300 }, /^memory_mb: must be/],
    [{ timeout_sec: -1 }, /^timeout_sec: must be at least 0$/],
    [{ timeout_sec: 2_592_001 }, /^timeout_sec: must be at most 2592000$/],
    [{ metadata: { a: 1 } }, /^metadata.a: must be a string$/],
    [{ metadata: { '': 'x' } }, /^metadata: the name "" must be/],
    [{ metadata: { a: 'x'.repeat(257) } }, /^metadata.a: must have at most 256 characters$/],
    [{ metadata: { a: 'x\0' } }, /^metadata.a: must be valid Unicode/],
    [{ metadata: { a: '\ud800' } }, /^metadata.a: must be valid Unicode/],
    [
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, ''])) },
      /^metadata: must have at most 16 entries$/,
    ],
    [
      { cpu: 1, ram: 2 },
      /^cpu, ram: unknown fields; known are template, vcpus, memory_mb, timeout_sec, metadata$/,
    ],
    [{ __proto__: null, constructor: 1 }, /^constructor: unknown field/],
    [[], /^body: must be an object$/],
    [null, /^body: must be an object$/],
    ['{}', /^body: must be an object$/],
  ]
  for (const [body, message] of createCases) {
    it(`createSandbox refuses ${JSON.stringify(body).slice(0, 60)}`, async () => {
      assert.match(
        await platform.api.refused('invalid_request', 'createSandbox', { as: account, body }),
        message,
      )
    })
  }

  const execCases: [unknown, RegExp][] = [
    [{}, /^cmd: is required$/],
    [{ cmd: '' }, /^cmd: must not be empty$/],
    [{ cmd: 'a\u0000' }, /^cmd: must not hold a NUL character$/],
    [{ cmd: 'a', args: 'b' }, /^args: must be an array$/],
    [{ cmd: 'a', args: ['b', 1] }, /^args\[1\]: must be a string$/],
    [{ cmd: 'a', envs: { 'A=B': 'c' } }, /^envs: the name "A=B" must/],
    [{ cmd: 'a', envs: { A: 1 } }, /^envs\.A: must be a string$/],
    [{ cmd: 'a', cwd: 'relative' }, /^cwd: must be an absolute path$/],
    [{ cmd: 'a', user: 'a b' }, /^user: must be/],
    [{ cmd: 'a', timeout_sec: 0 }, /^timeout_sec: must be at least 1$/],
    [{ cmd: 'a', timeout_sec: 3_601 }, /^timeout_sec: must be at most 3600$/],
    [{ cmd: 'a', shell: true }, /^shell: unknown field/],
  ]
  for (const [body, message] of execCases) {
    it(`execCommand refuses ${JSON.stringify(body)}`, async () => {
      const call = { as: account, params: { id: sandbox.id }, body }
      assert.match(await platform.api.refused('invalid_request', 'execCommand', call), message)
    })
  }

  const accountCases: [OperationId<PublicApi>, unknown, RegExp][] = [
    ['signup', { email: 'nobody', password: 'long enough' }, /^email: must be an e-mail address$/],
    ['signup', { email: 'a@b', password: 'long enough' }, /^email: /],
    ['signup', { email: `${'a'.repeat(250)}@b.co`, password: 'long enough' }, /^email: /],
    ['signup', { email: 'a\u0000@b.co', password: 'long enough' }, /^email: /],
    ['signup', { email: 'a@b.co', password: 'short' }, /^password: must have at least 8 characters$/],
    ['signup', { email: 'a@b.co' }, /^password: is required$/],
    ['signup', { email: 'a@b.co', password: 'long enough', admin: true }, /^admin: unknown field/],
    ['login', { email: ['a@b.co'], password: 'x' }, /^email: must be a string$/],
    ['createAPIKey', { name: '' }, /^name: must not be empty$/],
    ['createAPIKey', { name: 'a'.repeat(101) }, /^name: must have at most 100 characters$/],
    ['createAPIKey', { name: 'a\u0000b' }, /^name: must hold no control characters$/],
  ]
  for (const [id, body, message] of accountCases) {
    it(`${id} refuses ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const as = { token: account.token }
      assert.match(await platform.api.refused('invalid_request', id, { as, body }), message)
    })
  }

  const ids = [
    'sb-',
    'sb-aaaaaaaaaaaaaaaaaaaa',
    'a/b',
    '\u0000',
    'sb-%00',
    "' or 1=1",
    'é'.repeat(20),
    '..%2f..',
  ]
  for (const id of [...ids, newId('sb'), newId('key')]) {
    it(`there is no sandbox ${JSON.stringify(id)}`, async () => {
      const call = { as: account, params: { id } }
      for (const operation of ['getSandbox', 'destroySandbox', 'pingSandbox'] as const) {
        await platform.api.refused('not_found', operation, call)
      }
      await platform.api.refused('not_found', 'execCommand', { ...call, body: { cmd: 'echo' } })
    })
  }

  it('any JSON at all as the body of a create or a command is refused or legal, never a 500', async () => {
    const names = fc.constantFrom('template', 'vcpus', 'memory_mb', 'timeout_sec', 'cmd', 'args', 'envs', 'x')
    const bodies = fc.dictionary(names, fc.jsonValue({ maxDepth: 2 }))
    await fc.assert(
      fc.asyncProperty(bodies, async (fields) => {
        // Unknown in both, so that no legal body comes out and creates a sandbox.
        const body = { ...fields, x: 1 }
        const create = await platform.api.refused('invalid_request', 'createSandbox', { as: account, body })
        const exec = { as: account, params: { id: sandbox.id }, body }
        const command = await platform.api.refused('invalid_request', 'execCommand', exec)
        assert.match(create, /^\S.*: /)
        assert.match(command, /^\S.*: /)
      }),
      { numRuns: 60 },
    )
  })
})
