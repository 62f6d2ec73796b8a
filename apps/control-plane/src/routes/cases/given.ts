// The platform that the cases run on, and what each of them is given.
import { createPlatform, type Platform } from '../../../../../test/support/control-plane.ts'
import type { Account } from '../../../../../test/support/api.ts'
import { knownProviders } from '../../auth/oauth/registry.ts'
import type { CasesOf, Given, Id, Planes, Prepare, PreparedCall } from './case.ts'
import { cases } from './all.ts'
import { silentProvider } from './oauth.ts'

export interface World {
  platform: Platform
  owner: Account
  stranger: Account
  planes: Planes
}

export async function createWorld(): Promise<World> {
  const platform = await createPlatform()
  const plane = async (...options: Parameters<Platform['another']>) =>
    (await platform.another(...options)).api
  const once = { count: 1, windowSec: 3_600 }
  const credentials = { clientId: 'id', clientSecret: 'secret' }
  const planes = {
    limited: await plane({ rateLimits: { login: once, signup: once, creates: once, requests: once } }),
    full: await plane({ limits: { maxRunning: 0, maxPaused: 0, maxSnapshotMb: 0 } }),
    closed: await plane({ signups: 'closed' }),
    withoutDatabase: await plane({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none' }),
    withoutAgent: await plane({ agentSocket: '/run/there-is-no-agent.sock' }),
    withOAuth: await plane({
      oauth: {
        known: { ...knownProviders, silent: silentProvider },
        configured: { github: credentials, silent: credentials },
        publicUrl: 'https://api.example.com',
      },
    }),
  }
  const [owner, stranger] = await Promise.all([platform.api.account(), platform.api.account()])
  return { platform, owner, stranger, planes }
}

export function givenFor(world: World, id: Id): Given {
  const { platform, owner, planes } = world
  const running = async (): Promise<string> => (await platform.api.create(owner)).id
  const paused = async (): Promise<string> => {
    const id = await running()
    await platform.api.expect(200, 'pauseSandbox', { as: owner, params: { id } })
    return id
  }
  const stopped = async (): Promise<string> => {
    const id = await running()
    await platform.api.expect(204, 'destroySandbox', { as: owner, params: { id } })
    return id
  }
  return { platform, owner, planes, running, paused, stopped, good: () => goodCall(world, id) }
}

/** The operation's call that succeeds. */
export async function goodCall(world: World, id: Id): Promise<PreparedCall> {
  const [, prepare] = answersOf(id)[0] ?? []
  if (!prepare) throw new Error(`there is no case for ${id}`)
  return prepare(givenFor(world, id))
}

/** The cases of an operation, lowest status first: the first is its success. Empty when it has none. */
export function answersOf(id: Id): [status: number, prepare: Prepare][] {
  const of = (cases as Partial<Record<Id, CasesOf<Id>>>)[id]
  const answers: Record<string, Prepare> = of?.answers ?? {}
  return Object.entries(answers).map(([status, prepare]) => [Number(status), prepare])
}
