// What a sandbox is made of. Each part is made for this agent at start; tests replace one to make it fail.
import type { Limiter, Logger } from '@wrenn/base'
import type { ImagesManifest } from '@wrenn/images'
import type { Envd } from '../guest/envd.ts'
import type { Network } from '../network/network.ts'
import type { cloneDisk, makeVmFolder, removeVmFolder } from '../storage/vm-folder.ts'
import type { Cgroups } from '../vmm/cgroup.ts'
import type { VmmDriver } from '../vmm/driver.ts'

import type { Capacity } from './capacity.ts'
import type { writeRecord } from './record.ts'

export interface Parts {
  images: ImagesManifest
  network: Pick<Network, 'take' | 'release' | 'adopt' | 'sweep' | 'close' | 'refill' | 'slots'>
  driver: VmmDriver
  cgroups: Pick<Cgroups, 'make' | 'remove' | 'list' | 'close'>
  storage: {
    makeFolder: typeof makeVmFolder
    cloneDisk: typeof cloneDisk
    writeRecord: typeof writeRecord
    removeFolder: typeof removeVmFolder
  }
  /** A client of the envd that answers at `host`. */
  connectGuest: (host: string, token: string) => Envd
  folders: { goldens: string; sandboxes: string }
  capacity: Pick<Capacity, 'admit' | 'report'>
  /** Creates that resume their VM at the same time. */
  lanes: Limiter
  /** Of a sandbox's writable disk. */
  diskMib: number
  /** Aborts when the agent stops: VMs that are being made are given up, living ones are left alone. */
  stopping: AbortSignal
  log: Logger
}
