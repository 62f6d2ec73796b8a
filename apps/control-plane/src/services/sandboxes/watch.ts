// What changes in a folder of a running sandbox. Looking on is no activity.
import { AppError } from '@wrenn/base'
import type { SandboxRef } from '../../store/sandboxes.ts'
import type { SandboxDeps } from './deps.ts'
import { fileError } from './files.ts'
import { getSandbox } from './find.ts'
import { assertCan } from './states.ts'

/**
 * Events as the client gets them, each with its data as JSON. Returns once nothing is missed any more. They end when the
 * folder is gone, or the sandbox is paused or destroyed. Throws `not_found`, `invalid_request` and `invalid_state`.
 */
export async function watchFiles(
  deps: SandboxDeps,
  ref: SandboxRef,
  request: { path: string; recursive: boolean; signal: AbortSignal },
): Promise<AsyncGenerator<{ event: string; data: string }>> {
  const { id, hostId, ...row } = await getSandbox(deps.db, ref)
  assertCan('watch', { id, ...row })
  const host = await deps.hosts.byId(hostId)
  try {
    return events(await host.agent.guest.watchFiles(id, request))
  } catch (error) {
    throw fileError(deps, error)
  }
}

async function* events(lines: AsyncIterable<Buffer>): AsyncGenerator<{ event: string; data: string }> {
  for await (const line of lines) {
    const { event, data } = parse(line)
    yield { event, data: JSON.stringify(data) }
  }
}

function parse(line: Buffer): { event: string; data: unknown } {
  try {
    return JSON.parse(line.toString()) as { event: string; data: unknown }
  } catch (cause) {
    throw new AppError('agent_error', 'The host agent sent something that is not JSON', { cause })
  }
}
