// The data folder, name by name: what no sandbox, snapshot, golden or part of the platform owns, and what belongs to a
// user id that is not its VM's.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readFileIfThere } from '@wrenn/base'
import { filesOf } from '../../apps/host-agent/src/sandbox/record.ts'
import { templateFiles } from '../../apps/host-agent/src/sandbox/saved-template.ts'
import { layout, vmFiles } from '../../apps/host-agent/src/storage/layout.ts'
import { rootfsName } from '../../apps/host-agent/src/storage/rootfs.ts'
import type { Home, Vm } from './inventory.ts'

const ownNames = new Set([
  ...['goldens', 'logs', 'postgres', 'rootfs', 'run', 'sandboxes', 'snapshots'],
  ...['images.json', 'jwt-secret', 'host-id'],
])

interface Owners {
  vms: Vm[]
  homes: Home[]
  snapshots: ReadonlySet<string>
}

export async function strayFiles(folder: string, owners: Owners): Promise<string[]> {
  const { snapshots, goldens, rootfs, images } = layout(folder)
  const golden = new Set((await readdir(goldens)).filter((name) => /^[0-9a-f]{20}$/.test(name)))
  const used = new Set([
    ...(await rootfsOf(images)),
    ...(await rootfsOfTemplates(snapshots, owners.snapshots)),
  ])
  for (const { record } of owners.homes) if (record) used.add(record.rootfs)
  const inside = await Promise.all([
    ...owners.homes.map((home) => inHome(home, owners.vms)),
    ...[...owners.snapshots].map((key) => inTemplate(join(snapshots, key))),
    ...[...golden].map((key) => inTemplate(join(goldens, key))),
  ])
  const pid = /^(launcher|postgres|host-agent|control-plane)\.pid$|^agent\.sock$/
  return [
    ...(await others(folder, (name) => ownNames.has(name))),
    ...(await others(join(folder, 'run'), (name) => pid.test(name))),
    ...(await others(snapshots, (name) => owners.snapshots.has(name))),
    ...(await others(goldens, (name) => golden.has(name))),
    ...(await others(rootfs, (name) => used.has(name))),
    ...inside.flat(),
  ]
}

async function others(folder: string, isKnown: (name: string) => boolean): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !isKnown(name)).map((name) => `file ${join(folder, name)}`)
}

/** Only what its state file asks for is there; `vm/` is its VM's alone, and root's when it has none. */
async function inHome({ folder, record }: Home, vms: Vm[]): Promise<string[]> {
  if (!record) return []
  const { vm, disk, memory, qmp, serial } = vmFiles(folder)
  const uid = vms.find((one) => one.folder === folder)?.uid
  const needed = new Set(filesOf(folder, record))
  const inVm = new Set(uid === undefined ? [disk, memory] : [disk, memory, qmp, serial])
  const uids = await Promise.all(
    [vm, ...(await readdir(vm)).map((name) => join(vm, name))].map(async (path) => {
      const { uid: owner } = await stat(path)
      return owner === (uid ?? 0) || owner === 0
        ? []
        : [`${path} is of uid ${owner}, its VM of ${uid ?? 'none'}`]
    }),
  )
  return [
    ...(await others(folder, (name) => needed.has(join(folder, name)))),
    ...(await others(vm, (name) => inVm.has(join(vm, name)))),
    ...uids.flat(),
  ]
}

async function inTemplate(folder: string): Promise<string[]> {
  const files = new Set<string>(Object.values(templateFiles(folder)))
  return await others(folder, (name) => files.has(join(folder, name)))
}

async function rootfsOf(images: string): Promise<string[]> {
  const { templates } = JSON.parse((await readFileIfThere(images)) ?? '{}') as {
    templates: Record<string, { hash: string }>
  }
  return Object.values(templates).map(({ hash }) => rootfsName(hash))
}

async function rootfsOfTemplates(root: string, keys: ReadonlySet<string>): Promise<string[]> {
  const manifests = await Promise.all(
    [...keys].map((key) => readFileIfThere(templateFiles(join(root, key)).manifest)),
  )
  return manifests.map((text) => (JSON.parse(text ?? '{}') as { rootfs: string }).rootfs)
}
