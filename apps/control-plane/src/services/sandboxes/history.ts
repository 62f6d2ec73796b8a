// What has happened to a sandbox, page by page.
import { AppError } from '@wrenn/base'
import type { Database } from '../../store/database.ts'
import { sandboxEventList } from '../../store/sandbox-events.ts'
import type { SandboxRef } from '../../store/sandboxes.ts'
import type { SandboxEventRow } from '../../store/schema.ts'
import { getSandbox } from './find.ts'

/**
 * Newest first. `cursor`: what `next` of the page before was; `next` is undefined on the last page. Throws `not_found`
 * and `invalid_request`.
 */
export async function listSandboxEvents(
  db: Database,
  ref: SandboxRef,
  { limit, cursor }: { limit: number; cursor: string | undefined },
): Promise<{ rows: SandboxEventRow[]; next: string | undefined }> {
  const before = cursor === undefined ? undefined : parseCursor(cursor)
  const { id } = await getSandbox(db, ref)
  // One more than asked for tells whether there is a next page.
  const found = await sandboxEventList(db, id, { limit: limit + 1, before })
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return { rows, next: last && found.length > rows.length ? cursorOf(last) : undefined }
}

function cursorOf({ id }: SandboxEventRow): string {
  return Buffer.from(id).toString('base64url')
}

function parseCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString()
  // What a bigint takes.
  if (/^\d{1,18}$/.test(id)) return id
  throw new AppError('invalid_request', 'cursor: is not one of a Link header of ours')
}
