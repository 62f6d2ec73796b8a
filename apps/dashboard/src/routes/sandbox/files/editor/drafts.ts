// Texts that are not saved yet, for as long as the app is open: a session that expires, and the way through signing in,
// loses none of them. Each belongs to one user.
import type { Base, FileRef } from './content.ts'

export interface Draft {
  base: Base
  text: string
}

const drafts = new Map<string, Draft>()

function keyOf(userId: string, { id, path }: FileRef): string {
  return `${userId} ${id} ${path}`
}

export function draftOf(userId: string, file: FileRef): Draft | undefined {
  return drafts.get(keyOf(userId, file))
}

/** Forgotten once nothing differs from the file. */
export function keepDraft(userId: string, file: FileRef, draft: Draft): void {
  if (draft.text === draft.base.text) dropDraft(userId, file)
  else drafts.set(keyOf(userId, file), draft)
}

export function dropDraft(userId: string, file: FileRef): void {
  drafts.delete(keyOf(userId, file))
}
