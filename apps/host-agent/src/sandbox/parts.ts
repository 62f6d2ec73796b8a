// What a sandbox is made of. Each part is made for this agent at start; tests replace one to make it fail.
import type { Limiter, Logger } from '@wrenn/base'
import type { ImagesManifest } from '@wrenn/images'
import type { Envd } from '../guest/envd.ts'
import type { Network } from '../network/network.ts'
import type { Storage } from './storage.ts'
import type { Cgroups } from '../vmm/cgroup.ts'
import type { VmmDriver } from '../vmm/driver.ts'
import type { Capacity } from './capacity.ts'

export interface Parts {
  /** With root filesystems in the data folder. */
  images: ImagesManifest
  network: Pick<Network, 'take' | 'release' | 'adopt' | 'sweep' | 'close' | 'refill' | 'slots'>
  driver: VmmDriver
  cgroups: Pick<Cgroups, 'make' | 'remove' | 'list' | 'close'>
  storage: Storage
  /** A client of the envd that answers at `host`. */
  connectGuest: (host: string, token: string) => Envd
  folders: { goldens: string; sandboxes: string; snapshots: string; rootfs: string }
  capacity: Pick<Capacity, 'admit' | 'report'>
  /** Creates and resumes that load their VM at the same time. */
  lanes: Limiter
  /** Of a sandbox's writable disk. */
  diskMib: number
  /** Aborts when the agent stops: VMs that are being made are given up, living ones are left alone. */
  stopping: AbortSignal
  log: Logger
}
