// The folder of one VM: root's, with `vm/` in it for the VM's own user, which is all that its VMM can write.
import { chmod, chown, link, mkdir, open, rm } from 'node:fs/promises'
import { isErrno, MIB } from '@wrenn/base'
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

/** Keeps a template's memory for as long as the folder needs it, whatever becomes of the template. */
export async function linkBase(memory: string, folder: string): Promise<void> {
  await link(memory, vmFiles(folder).base)
}

/** Hands a VM's files over to the user that it runs as now. */
export async function giveFolderTo(folder: string, uid: number): Promise<void> {
  const { vm, disk, memory } = vmFiles(folder)
  for (const file of [disk, memory]) {
    await chown(file, uid, uid).catch((error: unknown) => {
      if (file !== memory || !isErrno(error, 'ENOENT')) throw error
    })
  }
  await chown(vm, uid, uid)
}

/** Takes a VM's files back once it is gone: its user will be another VM's. */
export async function takeFolderBack(folder: string): Promise<void> {
  await giveFolderTo(folder, 0)
  const { qmp, serial } = vmFiles(folder)
  await removeFiles([qmp, serial])
}

/** Memory of nothing but zeros for a VM that boots. Returns its path. */
export async function blankMemory(folder: string, uid: number, memoryMib: number): Promise<string> {
  const { memory } = vmFiles(folder)
  await removeFiles([memory])
  const file = await open(memory, 'wx', 0o600)
  try {
    await file.truncate(memoryMib * MIB)
  } finally {
    await file.close()
  }
  await giveToVm(memory, uid)
  return memory
}

export async function removeFiles(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { force: true })))
}

export async function removeVmFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
