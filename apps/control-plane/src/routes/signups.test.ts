// Who may sign up, and what the operator does with accounts: `npm run user`, run as a command.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { CommandError, pollUntil, run } from '@wrenn/base'
import type { PublicSchemas } from '@wrenn/contract'
import type { Api } from '../../../../test/support/api.ts'
import { createPlatform, type Platform } from '../../../../test/support/control-plane.ts'

const tool = join(import.meta.dirname, '../../../../tools/user.ts')
const password = 'correct horse'

describe('signups', () => {
  let platform: Platform

  before(async () => {
    platform = await createPlatform({ signups: 'closed' })
  })

  after(() => platform.remove())

  const signUp = async (api: Api, email: string): Promise<number> =>
    (await api.call('signup', { body: { email, password } })).status

  it('that are closed let exactly one of ten in at once on a new platform, and then nobody', async () => {
    const other = await platform.another()
    const attempts = Array.from({ length: 10 }, (_, n) =>
      signUp(n % 2 === 0 ? platform.api : other.api, `first${n}@example.com`),
    )
    const statuses = (await Promise.all(attempts)).toSorted((a, b) => a - b)
    assert.deepEqual(statuses, [201, ...Array.from({ length: 9 }, () => 403)])
    const body = { email: 'second@example.com', password }
    assert.match(await platform.api.refused('forbidden', 'signup', { body }), /^Nobody may sign up here/)
  })

  it('for some domains let their addresses in and no others', async () => {
    const { api } = await platform.another({ signups: { domains: ['example.com', 'example.org'] } })
    assert.equal(await signUp(api, 'Ann@Example.ORG'), 201)
    for (const email of ['a@sub.example.com', 'a@xexample.com', 'example.com@evil.test'])
      assert.equal(await signUp(api, email), 403, email)
  })

  it('that are open let everybody in', async () => {
    const { api } = await platform.another({ signups: 'open' })
    assert.equal(await signUp(api, 'anybody@evil.test'), 201)
  })
})

describe('npm run user', () => {
  let platform: Platform

  before(async () => {
    platform = await createPlatform({ signups: 'closed' })
  })

  after(() => platform.remove())

  async function user(...args: string[]): Promise<string> {
    const env = { ...process.env, DATABASE_URL: platform.databaseUrl }
    return (await run(process.execPath, [tool, ...args], { env })).stdout.trim()
  }

  async function refusal(...args: string[]): Promise<string> {
    const error: unknown = await user(...args).catch((error: unknown) => error)
    assert.ok(error instanceof CommandError)
    assert.equal(error.code, 1)
    return error.stderr.trim()
  }

  const passwordIn = (output: string): string => output.split(' ').at(-1) ?? ''
  const logIn = (email: string, password: string) =>
    platform.api.call<PublicSchemas['AuthResponse']>('login', { body: { email, password } })

  it('adds a user who may log in, although signups are closed', async () => {
    assert.match(await user('list'), /^There is no user yet/)
    const given = passwordIn(await user('add', 'Ann@example.com'))
    assert.equal((await logIn('ann@example.com', given)).status, 200)
    assert.match(await user('list'), /^ann@example\.com  team-\S+  since \S+Z  enabled$/)
    assert.match(await refusal('add', 'ann@example.com'), /^There is an account with this e-mail already$/)
  })

  it('resets a password: the old one and old sessions end, API keys go on', async () => {
    const old = passwordIn(await user('add', 'bob@example.com'))
    const { token } = (await logIn('bob@example.com', old)).body
    const { key } = await platform.api.expect<{ key: string }>(201, 'createAPIKey', {
      as: { token },
      body: {},
    })
    await nextSecond()
    const fresh = passwordIn(await user('reset-password', 'bob@example.com'))
    assert.equal((await logIn('bob@example.com', old)).status, 401)
    await platform.api.refused('unauthorized', 'listSandboxes', { as: { token } })
    await platform.api.list({ apiKey: key })
    await platform.api.list((await logIn('bob@example.com', fresh)).body)
  })

  it('disables a user at once on every control plane: login, tokens and keys; and enables again', async () => {
    const { api } = await platform.another()
    const given = passwordIn(await user('add', 'eve@example.com'))
    const { token } = (await logIn('eve@example.com', given)).body
    const { key } = await api.expect<{ key: string }>(201, 'createAPIKey', { as: { token }, body: {} })
    const credentials = [{ token }, { apiKey: key }]
    for (const as of credentials) await api.list(as)
    await nextSecond()
    await user('disable', 'eve@example.com')
    for (const each of [api, platform.api])
      for (const as of credentials) await each.refused('unauthorized', 'listSandboxes', { as })
    const body = { email: 'eve@example.com', password: given }
    assert.equal(await api.refused('unauthorized', 'login', { body }), 'E-mail or password is wrong')
    assert.match(await user('list'), /eve@example\.com .* disabled since /)
    await user('enable', 'eve@example.com')
    await api.list({ apiKey: key })
    await api.refused('unauthorized', 'listSandboxes', { as: { token } })
    assert.equal((await logIn('eve@example.com', given)).status, 200)
  })

  it('says what is wrong with its arguments', async () => {
    for (const args of [[], ['add'], ['remove', 'a@example.com'], ['list', 'x'], ['add', 'a@b.c', 'x']])
      assert.match(await refusal(...args), /^usage: npm run user/)
    assert.match(await refusal('add', 'nonsense'), /is not an e-mail address$/)
    assert.match(await refusal('disable', 'nobody@example.com'), /^There is no user nobody@example\.com$/)
  })
})

/** A token knows the second it was issued in, and a reset or a disabling ends those of the seconds before it. */
async function nextSecond(): Promise<void> {
  const second = Math.floor(Date.now() / 1_000)
  await pollUntil('the next second', () => Math.floor(Date.now() / 1_000) > second || undefined, {
    timeoutMs: 5_000,
  })
}
