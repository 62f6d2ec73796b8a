// How much memory a process has.
import { readFile } from 'node:fs/promises'
import { MIB } from '@wrenn/base'

/** VmRSS of the text of /proc/pid/status (proc_pid_status(5)). */
export function residentMibOf(status: string): number {
  const kib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1])
  return Math.round((kib * 1024) / MIB)
}

export async function residentMib(pid: number): Promise<number> {
  return residentMibOf(await readFile(`/proc/${pid}/status`, 'utf8'))
}
