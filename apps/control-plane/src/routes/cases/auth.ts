// POST /v1/auth/signup and /v1/auth/login; GET /v1/auth/providers and /v1/me.
import { randomUUID } from 'node:crypto'
import { guarded, jsonBody, withFields, withoutDatabase } from './common.ts'
import type { Cases } from './case.ts'

const password = 'correct horse'

export const authCases = {
  signup: {
    answers: {
      ...jsonBody,
      201: () => ({ body: { email: `${randomUUID()}@example.com`, password } }),
      403: async ({ good, planes }) => ({ ...(await good()), at: planes.closed }),
      409: async ({ good, owner }) => withFields(await good(), { email: owner.email }),
      429: async ({ good, planes }) => {
        await planes.limited.call('signup', await good())
        return { ...(await good()), at: planes.limited }
      },
      503: withoutDatabase,
    },
  },
  login: {
    answers: {
      ...jsonBody,
      200: ({ owner }) => ({ body: { email: owner.email, password } }),
      401: async ({ good }) => withFields(await good(), { password: 'wrong horse' }),
      429: async ({ good, planes }) => {
        await planes.limited.call('login', await good())
        return { ...(await good()), at: planes.limited }
      },
      503: withoutDatabase,
    },
  },
  listProviders: { answers: { 200: ({ planes }) => ({ at: planes.withOAuth }) } },
  getMe: { foreign: 'own data only', answers: { ...guarded, 200: ({ owner }) => ({ as: owner }) } },
} satisfies Partial<Cases>
