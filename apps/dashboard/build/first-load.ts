// How much a browser loads before it shows a page: the app itself and the largest page, both with all that they import,
// styles included. The terminal is not part of it: it is loaded when one is opened.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const limitBytes = 300_000

/** Vite's manifest. */
type Chunk = { file: string; src?: string; isEntry?: boolean; imports?: string[]; css?: string[] }

export interface FirstLoad {
  /** The source of the largest page. */
  page: string
  gzipBytes: number
}

/** `folder`: Vite's output, with its manifest. */
export async function firstLoad(folder: string): Promise<FirstLoad> {
  const text = await readFile(join(folder, '.vite', 'manifest.json'), 'utf8')
  const chunks = JSON.parse(text) as Record<string, Chunk>
  const keys = Object.keys(chunks)
  const entry = keys.find((key) => chunks[key]?.isEntry)
  const pages = keys.filter((key) => key.startsWith('src/routes/'))
  if (entry === undefined || pages.length === 0)
    throw new Error(`the build has no entry or no pages: ${keys.join(' ')}`)
  const sizes = new Map<string, number>()
  const sizeOf = async (file: string): Promise<number> => {
    const size = sizes.get(file) ?? gzipSync(await readFile(join(folder, file))).length
    sizes.set(file, size)
    return size
  }
  let largest: FirstLoad = { page: '', gzipBytes: 0 }
  for (const page of pages) {
    const files = new Set<string>()
    collect(chunks, entry, files)
    collect(chunks, page, files)
    let gzipBytes = 0
    for (const file of files) gzipBytes += await sizeOf(file)
    if (gzipBytes > largest.gzipBytes) largest = { page, gzipBytes }
  }
  return largest
}

export function assertSmall({ page, gzipBytes }: FirstLoad): void {
  if (gzipBytes > limitBytes)
    throw new Error(
      `${page} loads ${gzipBytes} bytes (gzip) before it shows anything; ${limitBytes} are allowed`,
    )
}

function collect(chunks: Record<string, Chunk>, key: string, files: Set<string>): void {
  const chunk = chunks[key]
  if (!chunk || files.has(chunk.file)) return
  files.add(chunk.file)
  for (const css of chunk.css ?? []) files.add(css)
  for (const each of chunk.imports ?? []) collect(chunks, each, files)
}
