// Looking at sandboxes. What is another team's is as good as not there.
import { AppError, parseId, type TeamId } from '@wrenn/base'
import type { Database } from '../../store/database.ts'
import { sandboxByRef, sandboxList, type SandboxRef } from '../../store/sandboxes.ts'
import type { SandboxRow } from '../../store/schema.ts'

/** The reference, once the text has the form of an id. Throws `not_found`. */
export function sandboxRef(teamId: TeamId, text: string): SandboxRef {
  const id = parseId('sb', text)
  if (!id) throw notFound(text)
  return { id, teamId }
}

/** Throws `not_found`. */
export async function getSandbox(db: Database, ref: SandboxRef): Promise<SandboxRow> {
  const row = await sandboxByRef(db, ref)
  if (!row) throw notFound(ref.id)
  return row
}

export async function listSandboxes(db: Database, teamId: TeamId): Promise<SandboxRow[]> {
  return sandboxList(db, teamId)
}

function notFound(id: string): AppError {
  return new AppError('not_found', `There is no sandbox ${id.slice(0, 64)}`)
}
