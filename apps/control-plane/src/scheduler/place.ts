// Which host takes a new sandbox. With one host: that one, when it is large enough at all.
import { AppError } from '@wrenn/base'
import type { Host, Hosts } from '../hosts/hosts.ts'

/** Throws `invalid_request` when no host could ever take it, `unavailable` when none is there. */
export async function place(hosts: Hosts, need: { vcpus: number; memoryMb: number }): Promise<Host> {
  const all = await hosts.all()
  const cores = Math.max(...all.map((host) => host.cpuCores))
  const memoryMib = Math.max(...all.map((host) => host.memoryMib))
  if (need.vcpus > cores) {
    throw new AppError('invalid_request', `vcpus: must be at most ${cores}, the cores of the host`)
  }
  if (need.memoryMb > memoryMib) {
    throw new AppError('invalid_request', `memory_mb: must be at most ${memoryMib}, the memory of the host`)
  }
  const host = all.find((host) => host.cpuCores >= need.vcpus && host.memoryMib >= need.memoryMb)
  if (host) return host
  throw new AppError('no_capacity', 'No host has both the cores and the memory', { retryAfterSec: 30 })
}
