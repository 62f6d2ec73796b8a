// An OpenID Connect server, oauth2-mock-server, with people. It checks PKCE and the nonce's way round; what it leaves
// unchecked (client secret) is checked here.
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import {
  Events,
  OAuth2Server,
  type MutableRedirectUri,
  type MutableResponse,
  type MutableToken,
  type TokenRequestIncomingMessage,
} from 'oauth2-mock-server'
import { createOidc } from './oidc-provider.ts'
import { oauthApp, redirectUriOf, twinOf, type IdentityProvider, type Person } from './identity-provider.ts'

export interface Oidc extends IdentityProvider {
  /** Claims of id_tokens to set or to leave out, until the next call. */
  claim(claims: Record<string, unknown>): void
  /** After `remove`, at the same address. */
  comeBack(): Promise<void>
}

const name = 'oidc'

export async function startOidc(): Promise<Oidc> {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, '127.0.0.1')
  // A machine need not know the name localhost.
  const issuer = (server.issuer.url ?? '').replace('localhost', '127.0.0.1')
  server.issuer.url = issuer
  const people = new Map<string, Person>()
  const loginByCode = new Map<string, string>()
  let changes: Record<string, unknown> = {}

  server.service.on(
    Events.BeforeAuthorizeRedirect,
    ({ url }: MutableRedirectUri, { url: path = '' }: IncomingMessage) => {
      const asked = new URL(path, issuer).searchParams
      assert.ok(
        [name, twinOf(name)].map((each) => redirectUriOf(each)).includes(asked.get('redirect_uri') ?? ''),
        'redirect_uri is not registered',
      )
      assert.equal(asked.get('client_id'), oauthApp.clientId)
      loginByCode.set(url.searchParams.get('code') ?? '', asked.get('login_hint') ?? '')
      url.searchParams.set('iss', issuer)
    },
  )
  server.service.on(
    Events.BeforeTokenSigning,
    ({ payload }: MutableToken, { body }: TokenRequestIncomingMessage) => {
      const person = people.get(loginByCode.get(body.code ?? '') ?? '')
      const claims = { sub: person?.login, email: person?.email, email_verified: true }
      Object.assign(payload, claims, changes)
    },
  )
  server.service.on(
    Events.BeforeResponse,
    (answer: MutableResponse, { body }: TokenRequestIncomingMessage) => {
      const { client_secret: secret } = body as { client_secret?: string }
      if (secret === oauthApp.clientSecret && body.code_verifier !== undefined) return
      Object.assign(answer, { statusCode: 401, body: { error: 'invalid_client' } })
    },
  )

  return {
    name,
    factory: createOidc,
    settings: { ...oauthApp, baseUrl: issuer },
    issuer,
    person: () => {
      const login = `person${people.size}`
      const person = { login, email: `${login}@example.com` }
      people.set(login, person)
      return person
    },
    consent: async (page, { login }) => {
      const chosen = new URL(page)
      chosen.searchParams.set('login_hint', login)
      const answer = await fetch(chosen, { redirect: 'manual' })
      assert.equal(answer.status, 302, await answer.text())
      return new URL(answer.headers.get('location') ?? '')
    },
    claim: (claims) => {
      changes = claims
    },
    remove: () => server.stop(),
    comeBack: async () => {
      await server.start(Number(new URL(issuer).port), '127.0.0.1')
      server.issuer.url = issuer
    },
  }
}
