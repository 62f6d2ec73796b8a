// Files of a running sandbox. A transfer is activity for as long as it is open.
import { AppError, type ErrorCode } from '@wrenn/base'
import type { FileContent, FileUpload } from '../../hosts/guest-agent.ts'
import type { SandboxRef } from '../../store/sandboxes.ts'
import type { SandboxRow } from '../../store/schema.ts'
import { holdActive } from './active.ts'
import { fromAgent } from './create.ts'
import type { SandboxDeps } from './deps.ts'
import { getSandbox } from './find.ts'
import { assertCan } from './states.ts'

/** Throws `not_found` and `invalid_state`. */
export async function findForFiles(deps: SandboxDeps, ref: SandboxRef): Promise<SandboxRow> {
  const row = await getSandbox(deps.db, ref)
  assertCan('files', row)
  return row
}

/** Returns when the file is in its place; on any failure the old one is. Throws `invalid_request`, `disk_full`. */
export async function writeSandboxFile(
  deps: SandboxDeps,
  { id, hostId }: SandboxRow,
  upload: FileUpload,
): Promise<void> {
  const host = await deps.hosts.byId(hostId)
  const release = holdActive(deps, id)
  try {
    await host.agent.guest.writeFile(id, upload)
  } catch (error) {
    throw fileError(deps, error)
  } finally {
    release()
  }
}

/** Throws `not_found` when there is no such file, `invalid_request` when it is no regular one. */
export async function readSandboxFile(
  deps: SandboxDeps,
  { id, hostId }: SandboxRow,
  request: { path: string; signal: AbortSignal },
): Promise<FileContent> {
  const host = await deps.hosts.byId(hostId)
  const release = holdActive(deps, id)
  try {
    const content = await host.agent.guest.readFile(id, request)
    content.stream.once('close', release)
    return content
  } catch (error) {
    release()
    throw fileError(deps, error)
  }
}

/** What an agent's refusal is to the caller. */
export function fileError(deps: SandboxDeps, error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  // The agent knows better than our row: its VM ended.
  if (error.code === 'invalid_state') deps.reconcileSoon()
  return callersOwn.has(error.code) ? error : fromAgent(error)
}

/** What is said of paths and uploads stays as it is. */
const callersOwn: ReadonlySet<ErrorCode> = new Set(['not_found', 'already_exists', 'too_large'])
