import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownProviders, OAuthRegistry } from './registry.ts'

const publicUrl = (): string => 'https://api.example.com'
const settings = { clientId: 'id', clientSecret: 'secret' }

test('every provider has a name that its variables and its state cookie can have', () => {
  for (const name of Object.keys(knownProviders)) assert.match(name, /^[a-z][a-z0-9]*$/)
})

test('every provider calls itself by its name and sends browsers to https, with state, challenge and callback', async () => {
  const names = Object.keys(knownProviders)
  const configured = Object.fromEntries(names.map((name) => [name, settings]))
  const registry = new OAuthRegistry({ known: knownProviders, configured, publicUrl, limits: {} })
  for (const name of names) {
    const provider = registry.provider(name)
    assert.equal(provider.name, name)
    assert.equal(registry.provider(name), provider)
    const url = await provider.authorizationUrl('a state', 'a challenge')
    assert.equal(url.protocol, 'https:')
    const parameters = Object.fromEntries(url.searchParams)
    assert.equal(parameters['state'], 'a state')
    assert.equal(parameters['code_challenge'], 'a challenge')
    assert.equal(parameters['code_challenge_method'], 'S256')
    assert.equal(parameters['redirect_uri'], `${publicUrl()}/v1/auth/oauth/${name}/callback`)
    assert.ok(!url.href.includes('secret'))
  }
})

test('a provider that is unknown or not configured does not exist', () => {
  const none = new OAuthRegistry({ known: knownProviders, configured: {}, publicUrl, limits: {} })
  const unknown = new OAuthRegistry({ known: {}, configured: { github: settings }, publicUrl, limits: {} })
  const all = new OAuthRegistry({
    known: knownProviders,
    configured: { github: settings },
    publicUrl,
    limits: {},
  })
  for (const [registry, name] of [
    [none, 'github'],
    [unknown, 'github'],
    [all, 'GitHub'],
    [all, 'toString'],
    [all, '__proto__'],
  ] as const)
    assert.throws(() => registry.provider(name), { code: 'provider_not_found' })
})
