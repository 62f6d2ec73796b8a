// GET /v1/auth/oauth/{provider} and its callback.
import type { ProviderFactory } from '../../auth/oauth/provider.ts'
import type { Cases, Prepare } from './case.ts'

/** One that has to be asked where its users log in, and does not answer. */
export const silentProvider: ProviderFactory = ({ name }) => ({
  name,
  title: 'Silent',
  issuer: 'https://provider.example.com',
  authorizationUrl: async () => {
    throw new Error('no answer')
  },
  exchange: async () => {
    throw new Error('no answer')
  },
})

const github = { params: { provider: 'github' } }

/** The platform's own control plane has no provider configured. */
const notConfigured: Prepare = () => github

export const oauthCases = {
  oauthRedirect: {
    answers: {
      302: ({ planes }) => ({ at: planes.withOAuth, ...github }),
      404: notConfigured,
      503: ({ planes }) => ({ at: planes.withOAuth, params: { provider: 'silent' } }),
    },
  },
  oauthCallback: {
    answers: {
      302: ({ planes }) => ({ at: planes.withOAuth, ...github, query: 'error=access_denied' }),
      400: async ({ good }) => ({ ...(await good()), query: 'state=one&state=another' }),
      404: notConfigured,
    },
  },
} satisfies Partial<Cases>
