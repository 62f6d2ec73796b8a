// The folder of one VM: root's, with `vm/` in it for the VM's own user, which is all that its VMM can write.
import { chmod, chown, mkdir, rm } from 'node:fs/promises'
import { cloneSparse, type Extent } from './disk.ts'
import { vmFiles } from './layout.ts'

export async function makeVmFolder(folder: string, uid: number): Promise<void> {
  await mkdir(folder, { mode: 0o711 })
  const { vm } = vmFiles(folder)
  await mkdir(vm, { mode: 0o700 })
  await chown(vm, uid, uid)
}

/** Gives the VM in `folder` its writable disk: a copy of a golden's. */
export async function cloneDisk(
  source: { path: string; extents: readonly Extent[] },
  folder: string,
  uid: number,
): Promise<void> {
  const { disk } = vmFiles(folder)
  await cloneSparse(source.path, disk, source.extents)
  await giveToVm(disk, uid)
}

/** Hands a file over to the VM's user. */
export async function giveToVm(path: string, uid: number): Promise<void> {
  await chmod(path, 0o600)
  await chown(path, uid, uid)
}

export async function removeVmFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
