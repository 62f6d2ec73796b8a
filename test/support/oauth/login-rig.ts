// A platform with OAuth providers, and browsers that log in on it. Addresses are those of a real deployment: the API
// behind TLS, the frontend on another host. Every answer is checked against the public contract.
import assert from 'node:assert/strict'
import { UndoStack } from '@wrenn/base'
import { answerProblem, publicContract, type OperationId, type PublicApi } from '@wrenn/contract'
import type { ProviderCallLimits } from '../../../apps/control-plane/src/auth/oauth/http.ts'
import type { ControlPlaneOptions } from '../../../apps/control-plane/src/server.ts'
import type { Api } from '../api.ts'
import { createPlatform, type Platform } from '../control-plane.ts'
import { query } from '../postgres.ts'
import { Browser, type Page } from './browser.ts'
import {
  apiOrigin,
  twinOf,
  type IdentityProvider,
  type Person,
  type StartProvider,
} from './identity-provider.ts'

const frontend = 'https://app.example.com/ui'

/** The callback's answer. */
export interface End {
  page: Page
  /** Where the browser goes, at the frontend. */
  location: URL
  error: string | null
  /** The query of a success: token, user_id, team_id, email. */
  session: Record<string, string>
}

export interface LoginRig<Provider extends IdentityProvider = IdentityProvider> {
  provider: Provider
  platform: Platform
  /** Base of another control plane with the same settings, but those given. */
  another(options?: Partial<ControlPlaneOptions>): Promise<Api>
  /** A new one. `api`: the control plane that the public address leads to. */
  browser(api?: Api): Browser
  /** To the provider's page. */
  begin(browser: Browser): Promise<URL>
  /** To the provider, and with the person's consent back to us: the callback's URL, not called yet. */
  consented(browser: Browser, person: Person): Promise<URL>
  finish(browser: Browser, callback: URL): Promise<End>
  logIn(person: Person, browser?: Browser): Promise<End>
  /** How many users, teams and links there are. */
  counts(): Promise<{ users: number; teams: number; links: number }>
}

const contract = publicContract()
/** Known, and not configured. */
const unused = 'unused'

export interface LoginRigs {
  rig(title: string): LoginRig
  remove(): Promise<void>
}

type RigOptions = Partial<ControlPlaneOptions> & { limits?: ProviderCallLimits }

/** A rig for each provider, all on one platform. */
export async function createLoginRigs(
  starts: Readonly<Record<string, StartProvider>>,
  options: RigOptions = {},
): Promise<LoginRigs> {
  const providers = new Map<string, IdentityProvider>()
  const undo = new UndoStack()
  const platform = await orUndone(undo, async () => {
    for (const [title, start] of Object.entries(starts))
      providers.set(title, await undo.acquire(title, start(), (provider) => provider.remove()))
    return acquirePlatform(undo, [...providers.values()], options)
  })
  return {
    rig: (title) => {
      const provider = providers.get(title)
      assert.ok(provider)
      return loginRig(platform, provider)
    },
    remove: () => undoAll(undo),
  }
}

export async function createLoginRig<Provider extends IdentityProvider>(
  start: StartProvider<Provider>,
  options: RigOptions = {},
): Promise<LoginRig<Provider> & { remove(): Promise<void> }> {
  const undo = new UndoStack()
  return orUndone(undo, async () => {
    const provider = await undo.acquire('provider', start(), (provider) => provider.remove())
    const platform = await acquirePlatform(undo, [provider], options)
    return { ...loginRig(platform, provider), remove: () => undoAll(undo) }
  })
}

async function orUndone<T>(undo: UndoStack, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    await undo.undoAll()
    throw error
  }
}

function acquirePlatform(
  undo: UndoStack,
  providers: readonly IdentityProvider[],
  options: RigOptions,
): Promise<Platform> {
  return undo.acquire('platform', createOAuthPlatform(providers, options), (platform) => platform.remove())
}

async function undoAll(undo: UndoStack): Promise<void> {
  assert.deepEqual(await undo.undoAll(), [])
}

function createOAuthPlatform(
  providers: readonly IdentityProvider[],
  { limits, ...options }: RigOptions,
): Promise<Platform> {
  const names = providers.flatMap((each) => [each.name, twinOf(each.name)].map((name) => ({ name, each })))
  const oauth = {
    known: Object.fromEntries([
      ...names.map(({ name, each }) => [name, each.factory] as const),
      ...providers.slice(0, 1).map(({ factory }) => [unused, factory] as const),
    ]),
    configured: Object.fromEntries(names.map(({ name, each }) => [name, each.settings])),
    publicUrl: apiOrigin,
    redirectUrl: frontend,
    ...(limits ? { limits } : {}),
  }
  return createPlatform({ oauth, ...options })
}

function loginRig<Provider extends IdentityProvider>(
  platform: Platform,
  provider: Provider,
): LoginRig<Provider> {
  const rig: LoginRig<Provider> = {
    provider,
    platform,
    another: async (more) => (await platform.another(more)).api,
    browser: (api = platform.api) => new Browser({ [apiOrigin]: api.url }),
    begin: async (browser) => {
      const page = await browser.get(`${apiOrigin}/v1/auth/oauth/${provider.name}`)
      assertContract('oauthRedirect', page)
      assert.equal(page.status, 302, page.body)
      assert.ok(page.location)
      return page.location
    },
    consented: async (browser, person) => provider.consent(await rig.begin(browser), person),
    finish: async (browser, callback) => {
      const page = await browser.get(callback)
      assertContract('oauthCallback', page)
      return endOf(page)
    },
    logIn: async (person, browser = rig.browser()) =>
      rig.finish(browser, await rig.consented(browser, person)),
    counts: async () => {
      const [row] = await query<{ users: number; teams: number; links: number }>(
        platform.databaseUrl,
        `select (select count(*)::int from users) as users, (select count(*)::int from teams) as teams,
          (select count(*)::int from oauth_providers) as links`,
      )
      assert.ok(row)
      return row
    },
  }
  return rig
}

/** Every callback ends at the frontend, and nowhere else. */
function endOf(page: Page): End {
  assert.equal(page.status, 302, page.body)
  const { location, headers } = page
  assert.ok(location)
  assert.match(location.href, /^https:\/\/app\.example\.com\/ui\/auth\/[a-z0-9]+\/callback\?/)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
  const fields = Object.fromEntries(location.searchParams)
  const { error = null, ...session } = fields
  assert.deepEqual(Object.keys(fields), error ? ['error'] : ['token', 'user_id', 'team_id', 'email'])
  return { page, location, error, session }
}

export function assertContract(id: OperationId<PublicApi>, { status, headers, body: text }: Page): void {
  const contentType = headers.get('content-type')
  const body: unknown = contentType?.startsWith('application/json') ? JSON.parse(text) : text
  assert.equal(answerProblem(contract, id, { status, contentType, body }), undefined, text)
}
