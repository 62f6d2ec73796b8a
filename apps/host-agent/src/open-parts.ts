// Makes the real parts for a data folder. Called by main and, with a folder of their own, by tests.
import { Envd } from './guest/envd.ts'
import { availableParallelism } from 'node:os'
import { Limiter, type Logger } from '@wrenn/base'
import type { ImagesManifest } from '@wrenn/images'
import { Network } from './network/network.ts'
import { layout } from './storage/layout.ts'
import { keepRootfs } from './storage/rootfs.ts'
import { openStorage } from './sandbox/storage.ts'
import { chooseAccelerator, type Accelerator } from './vmm/accelerator.ts'
import { Cgroups } from './vmm/cgroup.ts'
import { QemuDriver } from './vmm/qemu/driver.ts'
import { Capacity } from './sandbox/capacity.ts'
import type { Parts } from './sandbox/parts.ts'
import type { Config } from './config.ts'

/** Two on each: one that waits for its guest leaves the core to the other. */
const lanesPerCore = 2

export async function openParts(
  config: Config,
  { images, log, stopping }: { images: ImagesManifest; log: Logger; stopping: AbortSignal },
): Promise<{ parts: Parts; accelerator: Accelerator; warnings: string[] }> {
  const { instance, diskMib } = config
  const [accelerator, network, cgroups] = await Promise.all([
    chooseAccelerator(images),
    Network.open({ ...config, log }),
    Cgroups.open(instance),
  ])
  const driver = await QemuDriver.open(images.hostkit, accelerator)
  const { goldens, sandboxes, snapshots, rootfs } = layout(config.dataFolder)
  const connectGuest = (host: string, token: string): Envd => new Envd(host, token)
  const folders = { goldens, sandboxes, snapshots, rootfs }
  const lanes = new Limiter(availableParallelism() * lanesPerCore)
  return {
    parts: {
      images: await keepRootfs(images, rootfs),
      network,
      storage: openStorage(images.hostkit),
      driver,
      cgroups,
      connectGuest,
      folders,
      lanes,
      capacity: new Capacity(config.dataFolder, config),
      diskMib,
      stopping,
      log,
    },
    accelerator,
    warnings: [
      ...(cgroups.obstacle === undefined ? [] : [`VMs have no CPU and memory limits: ${cgroups.obstacle}`]),
      ...(network.resolvers.length > 0 ? [] : ['guests have no DNS: no resolver is known, set WRENN_DNS']),
    ],
  }
}
