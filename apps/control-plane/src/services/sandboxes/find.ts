// Looking at sandboxes. What is another team's is as good as not there.
import { AppError, parseId, type TeamId } from '@wrenn/base'
import type { Database } from '../../store/database.ts'
import {
  sandboxByRef,
  sandboxList,
  type SandboxFilter,
  type SandboxPosition,
  type SandboxRef,
} from '../../store/sandboxes.ts'
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

/** `cursor`: what `next` of the page before was. `next` is undefined on the last page. Throws `invalid_request`. */
export async function listSandboxes(
  db: Database,
  teamId: TeamId,
  { cursor, limit, ...filter }: Omit<SandboxFilter, 'after'> & { cursor?: string | undefined },
): Promise<{ rows: SandboxRow[]; next: string | undefined }> {
  const after = cursor === undefined ? undefined : parseCursor(cursor)
  // One more than asked for tells whether there is a next page.
  const found = await sandboxList(db, teamId, { ...filter, after, limit: limit && limit + 1 })
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return { rows, next: last && found.length > rows.length ? cursorOf(last) : undefined }
}

function cursorOf({ createdAtMicros, id }: SandboxPosition): string {
  return Buffer.from(`${createdAtMicros} ${id}`).toString('base64url')
}

function parseCursor(cursor: string): SandboxPosition {
  const [, createdAtMicros, idText] =
    /^(\d{1,17}) (.+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  const id = parseId('sb', idText)
  if (createdAtMicros !== undefined && id) return { createdAtMicros, id }
  throw new AppError('invalid_request', 'cursor: is not one of a Link header of ours')
}

function notFound(id: string): AppError {
  return new AppError('not_found', `There is no sandbox ${id.slice(0, 64)}`)
}
