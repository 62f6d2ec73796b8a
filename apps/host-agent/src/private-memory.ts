// How much memory a VM has of its own.
import { readFileSync } from 'node:fs'
import { isErrno } from '@wrenn/base'

/** Anonymous pages: what this VM has written itself. RSS would count the shared golden memory for every VM. */
export function privateMemory(pid: number): number | undefined {
  try {
    const kib = /^Anonymous:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
    return kib === undefined ? undefined : Number(kib) * 1024
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}
