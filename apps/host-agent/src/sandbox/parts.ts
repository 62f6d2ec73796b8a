// What a sandbox is made of. Each part is made for this agent at start; tests replace one to make it fail.
import type { Logger } from '@wrenn/base'
import type { ImagesManifest } from '@wrenn/images'
import type { Network } from '../network/network.ts'
import type { Cgroups } from '../vmm/cgroup.ts'
import type { VmmDriver } from '../vmm/driver.ts'

export interface Parts {
  images: ImagesManifest
  network: Pick<Network, 'take' | 'release' | 'adopt' | 'sweep' | 'close' | 'refill'>
  driver: VmmDriver
  cgroups: Pick<Cgroups, 'make' | 'remove' | 'list' | 'close'>
  folders: { goldens: string; sandboxes: string }
  /** Of a sandbox's writable disk. */
  diskMib: number
  /** Aborts when the agent stops: VMs that are being made are given up, living ones are left alone. */
  stopping: AbortSignal
  log: Logger
}
