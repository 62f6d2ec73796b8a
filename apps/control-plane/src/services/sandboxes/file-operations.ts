// The file tree of a running sandbox: list, look, make, move, remove. Each is activity.
import type { AgentFileEntry, GuestAgent } from '../../hosts/guest-agent.ts'
import type { SandboxId } from '@wrenn/base'
import type { SandboxRef } from '../../store/sandboxes.ts'
import { holdActive } from './active.ts'
import type { SandboxDeps } from './deps.ts'
import { fileError, findForFiles } from './files.ts'

interface PathRequest {
  path: string
  signal: AbortSignal
}

/** By name. Throws `not_found`; `invalid_request` when it is no folder. */
export function listFiles(
  deps: SandboxDeps,
  ref: SandboxRef,
  request: PathRequest,
): Promise<AgentFileEntry[]> {
  return atAgent(deps, ref, (guest, id) => guest.listFiles(id, request))
}

/** Links are not followed. Throws `not_found`. */
export function statFile(deps: SandboxDeps, ref: SandboxRef, request: PathRequest): Promise<AgentFileEntry> {
  return atAgent(deps, ref, (guest, id) => guest.statFile(id, request))
}

/** Throws `already_exists`, `invalid_request`, `disk_full`. */
export function makeDirectory(
  deps: SandboxDeps,
  ref: SandboxRef,
  request: PathRequest,
): Promise<AgentFileEntry> {
  return atAgent(deps, ref, (guest, id) => guest.makeDirectory(id, request))
}

/** Replaces nothing. Throws `not_found`, `already_exists`, `invalid_request`, `disk_full`. */
export function moveFile(
  deps: SandboxDeps,
  ref: SandboxRef,
  request: { source: string; destination: string; signal: AbortSignal },
): Promise<AgentFileEntry> {
  return atAgent(deps, ref, (guest, id) => guest.moveFile(id, request))
}

/** A folder with all that it holds. Throws `not_found`, `invalid_request`. */
export function removeFile(deps: SandboxDeps, ref: SandboxRef, request: PathRequest): Promise<void> {
  return atAgent(deps, ref, (guest, id) => guest.removeFile(id, request))
}

async function atAgent<T>(
  deps: SandboxDeps,
  ref: SandboxRef,
  work: (guest: GuestAgent, id: SandboxId) => Promise<T>,
): Promise<T> {
  const { id, hostId } = await findForFiles(deps, ref)
  const host = await deps.hosts.byId(hostId)
  const release = holdActive(deps, id)
  try {
    return await work(host.agent.guest, id)
  } catch (error) {
    throw fileError(deps, error)
  } finally {
    release()
  }
}
