// Processes that are not our children: named by pid and start time, so that a reused pid is never mistaken for the old one.
// Source: proc(5), /proc/PID/stat: field 3 is the state, field 22 the start time in clock ticks since boot.
import { readFileSync } from 'node:fs'
import { pollUntil } from './deadline.ts'
import { isErrno } from './files.ts'

export interface ProcessRef {
  pid: number
  /** Clock ticks since boot. */
  startTime: string
}

/** The running process with this pid; undefined when there is none or it is a zombie. */
export function processRef(pid: number): ProcessRef | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
  // The command name in parentheses may hold spaces and parentheses: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  return state === 'Z' || state === 'X' || startTime === undefined ? undefined : { pid, startTime }
}

export function isAlive(ref: ProcessRef): boolean {
  return processRef(ref.pid)?.startTime === ref.startTime
}

/** Sends a signal; false when the process is gone already. */
export function signalProcess(ref: ProcessRef, signal: NodeJS.Signals): boolean {
  if (!isAlive(ref)) return false
  try {
    process.kill(ref.pid, signal)
    return true
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false
    throw error
  }
}

/** Asks with SIGTERM, insists with SIGKILL after `graceMs`, and returns when the process is gone. */
export async function endProcess(ref: ProcessRef, graceMs: number): Promise<void> {
  const gone = (): true | undefined => (isAlive(ref) ? undefined : true)
  if (graceMs > 0 && signalProcess(ref, 'SIGTERM')) {
    try {
      await pollUntil(`process ${ref.pid} ends`, gone, { timeoutMs: graceMs })
      return
    } catch {
      // It did not end by itself in time.
    }
  }
  signalProcess(ref, 'SIGKILL')
  await pollUntil(`process ${ref.pid} is gone`, gone, { timeoutMs: 10_000, intervalMs: 2 })
}
