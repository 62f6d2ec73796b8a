// /v1/api-keys. These take session tokens only.
import type { PublicSchemas } from '@wrenn/contract'
import { guarded, jsonBody } from './common.ts'
import type { Cases, Given } from './case.ts'

const byToken = ({ owner }: Given) => ({ token: owner.token })

export const apiKeyCases = {
  createAPIKey: {
    foreign: 'own data only',
    answers: { ...guarded, ...jsonBody, 201: (given) => ({ as: byToken(given), body: { name: 'ci' } }) },
  },
  listAPIKeys: {
    foreign: 'own data only',
    answers: { ...guarded, 200: (given) => ({ as: byToken(given) }) },
  },
  deleteAPIKey: {
    foreign: 'no effect',
    answers: {
      ...guarded,
      204: async (given) => {
        const as = byToken(given)
        const { api } = given.platform
        const key = await api.expect<PublicSchemas['APIKeyResponse']>(201, 'createAPIKey', { as, body: {} })
        return { as, params: { id: key.id } }
      },
    },
  },
} satisfies Partial<Cases>
