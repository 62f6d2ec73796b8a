// Reads a file to be edited, and writes it back unless somebody else has written it meanwhile.
import { WrennError, type FileEntry, type Files } from '@wrenn/sdk'
import { decodeText, encodeText, type LineEnds } from '../../../../lib/text-content.ts'
import { isNotFound } from '../gone.tsx'

/** What a text area still takes with good grace. */
export const maxEditableBytes = 2 * 1_048_576
const readTimeoutMs = 60_000

export interface FileRef {
  id: string
  path: string
}

/** What tells one version of a file from another: when it was written, and how long it is. */
export type Stamp = string & { readonly brand: 'Stamp' }

export function stampOf({ modified_at: at, size }: Pick<FileEntry, 'modified_at' | 'size'>): Stamp {
  return `${at} ${size}` as Stamp
}

/** The version of a file that is being edited. */
export interface Base {
  text: string
  lineEnds: LineEnds
  /** Undefined: there was none. */
  stamp: Stamp | undefined
}

export type Loaded = { kind: 'text'; base: Base } | { kind: 'large' } | { kind: 'binary' }

export async function loadFile(files: Files, { id, path }: FileRef, signal?: AbortSignal): Promise<Loaded> {
  // Before its content: what is written in between is seen as a change later.
  const { size, modified_at } = await files.stat(id, path, { signal })
  if (size > maxEditableBytes) return { kind: 'large' }
  const { stream } = await files.readStream(id, path, { signal, timeoutMs: readTimeoutMs })
  // Files in /proc say that they are empty, and may have no end.
  const bytes = await readUpTo(stream, maxEditableBytes)
  if (!bytes) return { kind: 'large' }
  const content = decodeText(bytes)
  if (!content) return { kind: 'binary' }
  return { kind: 'text', base: { ...content, stamp: stampOf({ modified_at, size }) } }
}

/** The file is not what was opened. `removed`: it is not there any more. */
export class FileChanged extends Error {
  readonly what: 'changed' | 'removed'

  constructor(what: FileChanged['what']) {
    super(what === 'removed' ? 'The file was removed in the sandbox' : 'The file was changed in the sandbox')
    this.what = what
  }
}

export interface SaveRequest {
  /** What is expected to be there. */
  base: Base
  text: string
  /** Whatever is there. */
  isForced: boolean
}

/** Returns what is there now. Throws FileChanged, and what the server says. */
export async function saveFile(files: Files, { id, path }: FileRef, request: SaveRequest): Promise<Base> {
  const { base, text, isForced } = request
  if (!isForced) {
    const now = await stampAt(files, { id, path })
    if (now !== base.stamp) throw new FileChanged(now === undefined ? 'removed' : 'changed')
  }
  const { lineEnds } = base
  await files.write(id, path, encodeText({ text, lineEnds }))
  const stamp = await stampAt(files, { id, path })
  return { text, lineEnds: lineEnds === 'mixed' ? 'lf' : lineEnds, stamp }
}

async function stampAt(files: Files, { id, path }: FileRef): Promise<Stamp | undefined> {
  try {
    return stampOf(await files.stat(id, path))
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Undefined when there is more. */
async function readUpTo(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value)
    size += next.value.byteLength
    if (size > maxBytes) {
      await reader.cancel()
      return undefined
    }
  }
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer())
}

/** For `loadFile` again after a change: only text can be taken into an editor. */
export async function loadText(files: Files, file: FileRef): Promise<Base> {
  const loaded = await loadFile(files, file)
  if (loaded.kind === 'text') return loaded.base
  throw new WrennError(
    'unsupported',
    loaded.kind === 'large'
      ? 'The file has become too large to be edited here'
      : 'The file is no text any more',
  )
}
