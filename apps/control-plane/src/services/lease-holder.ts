// Who holds a lease: one piece of work of one process, named so that others on its machine can tell for certain that it
// is over. That is known of a process, not of an address: the listen address is free again while a control plane that is
// told to stop still finishes its creates, and two machines may listen on the same one. Work of this process that is over
// and could not say so in its row (its database was gone) is known here, too.
import { readFileSync, readlinkSync } from 'node:fs'
import { isAlive, processRef } from '@wrenn/base'

/** Of this process, whatever control planes run in it. */
const underWay = new Set<string>()
let begun = 0

/**
 * Within a boot, a pid namespace and a user id a process is known by pid and start time (pid_namespaces(7)). The user
 * id: with hidepid (proc(5)) the processes of other users look as if they were gone.
 */
const own = [bootId(), readlinkSync('/proc/self/ns/pid'), process.getuid?.(), ...ownProcess()].join(' ')

export function beginHolder(): string {
  const holder = `${own} ${begun++}`
  underWay.add(holder)
  return holder
}

/** Its work is over, well or not. */
export function endHolder(holder: string): void {
  underWay.delete(holder)
}

/** True when it is certain. One on another machine, or out of sight on this one, may live: its leases run out. */
export function isDeadHolder(holder: string): boolean {
  if (holder.startsWith(`${own} `)) return !underWay.has(holder)
  const [there, here] = [holder.split(' '), own.split(' ')]
  const [pid, startTime] = there.slice(3)
  if (pid === undefined || startTime === undefined) return false
  const isNear = here.slice(0, 3).every((part, index) => part === there[index])
  return isNear && !isAlive({ pid: Number(pid), startTime })
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

function ownProcess(): [number, string] {
  const self = processRef(process.pid)
  if (!self) throw new Error('/proc does not show this process')
  return [self.pid, self.startTime]
}
