// The guest's file tree, through envd's filesystem service: listing, looking, making, moving, removing. Content goes
// through files.ts.
import { z } from 'zod'
import { AppError } from '@wrenn/base'
import { callOnce } from './answers.ts'
import type { Envd } from './envd.ts'

export interface FileEntry {
  name: string
  path: string
  /** Of the entry itself: links are not followed. */
  type: 'file' | 'directory' | 'symlink' | 'other'
  sizeBytes: number
  /** The permission bits, setuid, setgid and sticky included. */
  mode: number
  /** As `ls -l` shows them. */
  permissions: string
  owner: string
  group: string
  modifiedAt: string
  /** Of a symbolic link, as it is written there. */
  linkTarget?: string
}

const lookMs = 30_000
/** A folder moves to another filesystem by being copied, and may hold all that the disk does. */
const changeMs = 600_000

/** `permissions` is Go's fs.FileMode.String(): letters for the type and special bits, then nine for the others. */
const entry = z.object({
  name: z.string(),
  path: z.string(),
  size: z.string().regex(/^\d{1,19}$/),
  permissions: z.string().regex(/^[-dalTLDpSugct?]+[-r][-w][-x][-r][-w][-x][-r][-w][-x]$/),
  owner: z.string(),
  group: z.string(),
  modifiedTime: z.string(),
  link: z.string().optional(),
})
const oneEntry = z.object({ entry })
const entries = z.object({ entries: z.array(entry) })
const nothing = z.object({})

/** What a folder holds, by name. Throws `not_found`; `invalid_request` when it is none. */
export async function listFiles(envd: Envd, path: string, signal: AbortSignal): Promise<FileEntry[]> {
  const call = { request: { path }, answer: entries, timeoutMs: lookMs, signal }
  const listed = await callOnce(envd, 'filesystem.Filesystem/ListDir', call)
  return listed.entries.map(entryOf)
}

/** What a path is; a link is not followed. Throws `not_found`. */
export async function statFile(envd: Envd, path: string, signal: AbortSignal): Promise<FileEntry> {
  const call = { request: { path }, answer: oneEntry, timeoutMs: lookMs, signal }
  return entryOf((await callOnce(envd, 'filesystem.Filesystem/Stat', call)).entry)
}

/** With the folders above that are missing. Throws `already_exists`, `invalid_request`, `disk_full`. */
export async function makeDirectory(envd: Envd, path: string, signal: AbortSignal): Promise<FileEntry> {
  const call = { request: { path }, answer: oneEntry, timeoutMs: lookMs, signal }
  try {
    return entryOf((await callOnce(envd, 'filesystem.Filesystem/MakeDir', call)).entry)
  } catch (error) {
    throw await makeError(envd, path, { error, signal })
  }
}

/** Replaces nothing. Throws `not_found`, `already_exists`, `invalid_request`, `disk_full`. */
export async function moveFile(
  envd: Envd,
  { source, destination, signal }: { source: string; destination: string; signal: AbortSignal },
): Promise<FileEntry> {
  const request = { source, destination, noReplace: true }
  const call = { request, answer: oneEntry, timeoutMs: changeMs, signal }
  return entryOf((await callOnce(envd, 'filesystem.Filesystem/Move', call)).entry)
}

/** A folder goes with all that it holds. Throws `not_found`; `invalid_request` where something is mounted. */
export async function removeFile(envd: Envd, path: string, signal: AbortSignal): Promise<void> {
  const call = { request: { path, mustExist: true }, answer: nothing, timeoutMs: changeMs, signal }
  await callOnce(envd, 'filesystem.Filesystem/Remove', call)
}

/** To envd a file in the way is an invalid argument, to our callers the path exists. */
async function makeError(
  envd: Envd,
  path: string,
  { error, signal }: { error: unknown; signal: AbortSignal },
): Promise<unknown> {
  if (!(error instanceof AppError)) return error
  // Below what is not there nothing can be made (/proc): the caller's path is wrong, not the sandbox missing.
  if (error.code === 'not_found') return new AppError('invalid_request', error.message)
  if (error.code !== 'invalid_request') return error
  const inTheWay = await statFile(envd, path, signal).catch(() => undefined)
  return inTheWay ? new AppError('already_exists', `${path}: the path exists, and is no folder`) : error
}

function entryOf({ size, modifiedTime, link, permissions, ...rest }: z.infer<typeof entry>): FileEntry {
  const { type, mode, text } = readMode(permissions)
  return {
    ...rest,
    type,
    sizeBytes: Number(size),
    mode,
    permissions: text,
    modifiedAt: timeOf(modifiedTime),
    ...(type === 'symlink' && link !== undefined ? { linkTarget: link } : {}),
  }
}

function readMode(goMode: string): { type: FileEntry['type']; mode: number; text: string } {
  const letters = new Set(goMode.slice(0, -9).split(''))
  const bits = goMode.slice(-9).split('')
  let mode = bits.reduce((sum, bit) => sum * 2 + (bit === '-' ? 0 : 1), 0)
  const special = [
    { letter: 'u', bit: 0o4000, at: 2, shown: 's' },
    { letter: 'g', bit: 0o2000, at: 5, shown: 's' },
    { letter: 't', bit: 0o1000, at: 8, shown: 't' },
  ]
  for (const { letter, bit, at, shown } of special) {
    if (!letters.has(letter)) continue
    mode += bit
    bits[at] = bits[at] === 'x' ? shown : shown.toUpperCase()
  }
  const { type, shown } = kinds.find(({ letter }) => letters.has(letter)) ?? regular
  return { type, mode, text: shown + bits.join('') }
}

const regular = { type: 'file', shown: '-' } as const
/** Go's letters; a character device has both `D` and `c`. */
const kinds = [
  { letter: 'd', type: 'directory', shown: 'd' },
  { letter: 'L', type: 'symlink', shown: 'l' },
  { letter: 'c', type: 'other', shown: 'c' },
  { letter: 'D', type: 'other', shown: 'b' },
  { letter: 'p', type: 'other', shown: 'p' },
  { letter: 'S', type: 'other', shown: 's' },
  { letter: '?', type: 'other', shown: '?' },
] as const

/** RFC 3339 ends with the year 9999. Files can be younger, and older than its beginning. */
function timeOf(text: string): string {
  const time = new Date(text)
  if (!Number.isNaN(time.getTime())) return time.toISOString()
  return text.startsWith('-') ? '0000-01-01T00:00:00.000Z' : '9999-12-31T23:59:59.999Z'
}
