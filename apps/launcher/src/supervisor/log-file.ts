// The log file of a supervised process. The process holds its own O_APPEND descriptor and writes by itself, so that its
// output is kept whatever happens to the launcher. Rotation is copy and truncate, since nobody has to reopen anything.
import { copyFile, open, stat, truncate } from 'node:fs/promises'
import { isErrno, MIB } from '@wrenn/base'

const MAX_SIZE_BYTES = 50 * MIB
const TAIL_BYTES = 8_192
const TAIL_LINES = 8

/** Moves a log that has grown too large to `{path}.1`, over the one before: two files, a bounded size. */
export async function rotateLog(path: string, maxSizeBytes = MAX_SIZE_BYTES): Promise<void> {
  if ((await sizeOf(path)) <= maxSizeBytes) return
  await copyFile(path, `${path}.1`)
  await truncate(path, 0)
}

export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 0
    throw error
  }
}

/** The last lines that were written after `offset`, the JSON ones of our own processes as plain text. */
export async function logTail(path: string, offset: number): Promise<string[]> {
  const size = await sizeOf(path)
  const start = Math.max(offset, size - TAIL_BYTES)
  if (size <= start) return []
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    return lines
      .filter((line) => line.trim() !== '')
      .slice(-TAIL_LINES)
      .map(plainText)
  } finally {
    await file.close()
  }
}

function plainText(line: string): string {
  if (!line.startsWith('{')) return line
  try {
    const entry = JSON.parse(line) as { msg?: string; err?: { message?: string } }
    return [entry.msg, entry.err?.message].filter((part) => part !== undefined).join(': ') || line
  } catch {
    return line
  }
}
