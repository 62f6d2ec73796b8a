// GET /health, /openapi.yaml and /docs.
import type { Cases } from './case.ts'

export const platformCases = {
  health: {
    answers: {
      200: () => ({}),
      503: ({ planes }) => ({ at: planes.withoutAgent }),
    },
  },
  getContract: { answers: { 200: () => ({}) } },
  getDocs: { answers: { 200: () => ({}) } },
  getDocsFile: {
    answers: {
      200: () => ({ params: { file: 'start.js' } }),
      404: () => ({ params: { file: 'package.json' } }),
    },
  },
} satisfies Partial<Cases>
