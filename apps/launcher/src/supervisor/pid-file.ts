// Pid files: which process runs under a name, told apart from a later one of the same pid by its start time.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { endProcess, isAlive, isErrno, type ProcessRef } from '@wrenn/base'

/** Synchronous: between a spawn and its pid file nothing else may happen. */
export function writePidFile(path: string, ref: ProcessRef): void {
  writeFileSync(`${path}.tmp`, `${JSON.stringify(ref)}\n`, { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

/** The process that the file names, if it is still that one. */
export function readPidFile(path: string): ProcessRef | undefined {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(path, 'utf8')) as Partial<ProcessRef>
    if (typeof pid !== 'number' || typeof startTime !== 'string') return undefined
    return isAlive({ pid, startTime }) ? { pid, startTime } : undefined
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}

export function removePidFile(path: string): void {
  rmSync(path, { force: true })
}

/** Ends the process that a launcher which is gone left running. True when there was one. */
export async function endLeftover(path: string, graceMs: number): Promise<boolean> {
  const ref = readPidFile(path)
  if (ref) await endProcess(ref, graceMs)
  removePidFile(path)
  return ref !== undefined
}
