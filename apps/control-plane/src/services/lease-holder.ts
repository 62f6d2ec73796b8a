// Who holds a lease: a process, named so that others on its machine can tell for certain that it is gone. That is known
// of a process, not of an address: the listen address is free again while a control plane that is told to stop still
// finishes its creates, and two machines may listen on the same one. Used by leases and by the reconciler that ends them.
import { readFileSync, readlinkSync } from 'node:fs'
import { isAlive, processRef } from '@wrenn/base'

/**
 * Within a boot, a pid namespace and a user id a process is known by pid and start time (pid_namespaces(7)). The user
 * id: with hidepid (proc(5)) the processes of other users look as if they were gone.
 */
export function ownLeaseHolder(): string {
  const self = processRef(process.pid)
  if (!self) throw new Error('/proc does not show this process')
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const place = [bootId, readlinkSync('/proc/self/ns/pid'), process.getuid?.()]
  return [...place, self.pid, self.startTime].join(' ')
}

/** True when it is certain. One on another machine, or out of sight on this one, may live: its leases run out. */
export function isDeadHolder(holder: string, own: string): boolean {
  const [there, here] = [holder.split(' '), own.split(' ')]
  const [pid, startTime] = there.slice(3)
  if (pid === undefined || startTime === undefined) return false
  const isNear = here.slice(0, 3).every((part, index) => part === there[index])
  return isNear && !isAlive({ pid: Number(pid), startTime })
}
