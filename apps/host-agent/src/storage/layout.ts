// Where everything of this instance lies under the data folder. A sandbox's folder belongs to root; only `vm/` in it
// belongs to the VM's user, and is all that its VMM can write.
import { join } from 'node:path'

export function layout(dataFolder: string): {
  images: string
  goldens: string
  sandboxes: string
  socket: string
} {
  return {
    images: join(dataFolder, 'images.json'),
    goldens: join(dataFolder, 'goldens'),
    sandboxes: join(dataFolder, 'sandboxes'),
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
    qmp: join(vm, 'qmp.sock'),
    serial: join(vm, 'serial.log'),
  }
}
