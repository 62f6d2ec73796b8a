// All operations of the public contract, from the files beside this one. What is missing here does not compile.
import type { Handlers, PublicApi } from '@wrenn/contract'
import type { Caller } from '../auth/authenticate.ts'
import { apiKeyHandlers } from './api-keys.ts'
import { authHandlers, type AuthDeps } from './auth.ts'
import { eventHandlers, type EventDeps } from './events.ts'
import { execStreamHandlers } from './exec-stream.ts'
import { fileOperationHandlers } from './file-operations.ts'
import { fileHandlers } from './files.ts'
import { docsHandlers } from './docs.ts'
import { oauthHandlers, type OAuthRouteDeps } from './oauth.ts'
import { platformHandlers, type PlatformDeps } from './platform.ts'
import { ptyHandlers } from './pty.ts'
import { sandboxHandlers } from './sandboxes.ts'
import { snapshotHandlers } from './snapshots.ts'
import type { SnapshotDeps } from '../services/snapshots/deps.ts'

export type PublicHandlers = Handlers<PublicApi, Caller>

export function createHandlers(
  deps: PlatformDeps & AuthDeps & OAuthRouteDeps & SnapshotDeps & EventDeps,
): PublicHandlers {
  return {
    ...platformHandlers(deps),
    ...docsHandlers(),
    ...authHandlers(deps),
    ...oauthHandlers(deps),
    ...apiKeyHandlers(deps.db),
    ...sandboxHandlers(deps),
    ...snapshotHandlers(deps),
    ...fileHandlers(deps),
    ...fileOperationHandlers(deps),
    ...execStreamHandlers(deps),
    ...ptyHandlers(deps),
    ...eventHandlers(deps),
  }
}
