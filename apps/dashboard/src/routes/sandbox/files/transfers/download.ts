// Saves a file of a sandbox on this machine. Large ones go to the disk as they come, where the browser lets pages write
// files; elsewhere they are collected in a Blob, which browsers keep on disk, too, and saved at the end.
import type { Files, OnProgress } from '@wrenn/sdk'

/** From here on it is worth asking where to save. */
const largeBytes = 64 * 1_048_576
/** The browser reads the Blob after the click. */
const keptMs = 60_000

/** File System Access API: Chromium has it, on https and localhost. */
type PickFile = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>

export interface Download {
  id: string
  path: string
  name: string
  sizeBytes: number
}

/**
 * Returns what does it. Call in the handler of a click: only then may a page ask where to save. Throws an AbortError when
 * the user decides against it.
 */
export function prepareDownload(
  files: Files,
  { id, path, name, sizeBytes }: Download,
): (options: { signal: AbortSignal; onProgress: OnProgress }) => Promise<void> {
  const target = sizeBytes < largeBytes ? undefined : pickTarget(name)
  return async ({ signal, onProgress }) => {
    const handle = await target
    const { stream } = await files.readStream(id, path, { signal, onProgress })
    const bytes = stream as ReadableStream<Uint8Array<ArrayBuffer>>
    if (handle) await bytes.pipeTo(await handle.createWritable())
    else saveBlob(await new Response(bytes).blob(), name)
  }
}

/** Undefined where there is no such thing, or it is not allowed: after the first of several, the click is used up. */
function pickTarget(name: string): Promise<FileSystemFileHandle | undefined> | undefined {
  const { showSaveFilePicker } = globalThis as { showSaveFilePicker?: PickFile }
  const picked = showSaveFilePicker?.({ suggestedName: name }).catch((error: unknown) => {
    if ((error as DOMException).name === 'AbortError') throw error
    return undefined
  })
  // Whoever waits for it gets the error later.
  picked?.catch(() => undefined)
  return picked
}

function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), keptMs)
}
