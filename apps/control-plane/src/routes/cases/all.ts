// Every case there is. What is missing here does not compile, and ../coverage.test.ts fails.
import { apiKeyCases } from './api-keys.ts'
import { authCases } from './auth.ts'
import type { Cases } from './case.ts'
import { eventCases } from './events.ts'
import { fileOperationCases } from './file-operations.ts'
import { fileCases } from './files.ts'
import { oauthCases } from './oauth.ts'
import { pauseCases } from './pause.ts'
import { platformCases } from './platform.ts'
import { sandboxCases } from './sandboxes.ts'
import { snapshotCases } from './snapshots.ts'

export const cases: Cases = {
  ...platformCases,
  ...authCases,
  ...oauthCases,
  ...apiKeyCases,
  ...sandboxCases,
  ...pauseCases,
  ...snapshotCases,
  ...fileCases,
  ...eventCases,
  ...fileOperationCases,
}
