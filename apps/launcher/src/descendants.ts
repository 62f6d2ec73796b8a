// Programs that a set-up step started (mmdebstrap and what it starts) when the launcher is told to end meanwhile.
// Their parents may be gone before them, so all are collected first.
import { readdirSync, readFileSync } from 'node:fs'
import { endProcess, isErrno, processRef, type ProcessRef } from '@wrenn/base'

const GRACE_MS = 5_000

/** Ends all descendants of this process: asks, then insists. */
export async function endDescendants(): Promise<void> {
  await Promise.all(descendantsOf(process.pid).map((ref) => endProcess(ref, GRACE_MS)))
}

function descendantsOf(ancestor: number): ProcessRef[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))] as const),
  )
  const isDescendant = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent !== undefined && parent !== 0 && (parent === ancestor || isDescendant(parent))
  }
  return [...parents.keys()]
    .filter(isDescendant)
    .map(processRef)
    .filter((ref) => ref !== undefined)
}

/** Field 4 of /proc/PID/stat (proc(5)). */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}
