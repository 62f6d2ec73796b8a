// Where everything of this instance lies under the data folder. A sandbox's folder belongs to root; only `vm/` in it
// belongs to the VM's user, and is all that its VMM can write.
import { join } from 'node:path'

export function layout(dataFolder: string): {
  images: string
  hostId: string
  goldens: string
  sandboxes: string
  snapshots: string
  rootfs: string
  socket: string
} {
  return {
    images: join(dataFolder, 'images.json'),
    hostId: join(dataFolder, 'host-id'),
    goldens: join(dataFolder, 'goldens'),
    sandboxes: join(dataFolder, 'sandboxes'),
    snapshots: join(dataFolder, 'snapshots'),
    rootfs: join(dataFolder, 'rootfs'),
    socket: join(dataFolder, 'run', 'agent.sock'),
  }
}

/** Files of one VM: a sandbox's, or that of a golden being made. */
export function vmFiles(folder: string): {
  folder: string
  state: string
  log: string
  vm: string
  disk: string
  /** The template's memory that the VM maps: a hard link, so that it lives as long as it is needed. */
  base: string
  /** The VM's own saved memory, once it has been paused. */
  memory: string
  qmp: string
  serial: string
} {
  const vm = join(folder, 'vm')
  return {
    folder,
    state: join(folder, 'state.json'),
    log: join(folder, 'vmm.log'),
    vm,
    disk: join(vm, 'disk.img'),
    base: join(folder, 'base'),
    memory: join(vm, 'memory'),
    qmp: join(vm, 'qmp.sock'),
    serial: join(vm, 'serial.log'),
  }
}

/** Files of one pause. `delta` is there until it is folded into the memory. */
export function savedFiles(folder: string, number: number): { deviceState: string; delta: string } {
  return { deviceState: join(folder, `device-state.${number}`), delta: join(folder, `delta.${number}`) }
}
