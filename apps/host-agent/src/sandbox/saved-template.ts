// What a sandbox is made from: a VM saved whole, in a folder of its own that never changes once its manifest is there.
// Goldens are booted by us, snapshots come from sandboxes.
import { access, chmod, chown, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { readFileIfThere, syncFolder, writeFileDurable } from '@wrenn/base'
import { dataExtents, type Extent } from '../storage/disk.ts'
import type { MachineSpec, SavedBy, SavedMachine } from '../vmm/driver.ts'
import type { Parts } from './parts.ts'

export interface SavedTemplate {
  /** Names the content. */
  key: string
  /** The base template below it. */
  template: string
  machine: MachineSpec
  saved: SavedMachine
  savedBy: SavedBy
  disk: { path: string; extents: Extent[] }
  /** envd's access token in the saved memory: a resumed VM accepts `/init` only with it. */
  token: string
}

const manifestSchema = z.object({
  version: z.literal(1),
  template: z.string(),
  vcpus: z.number(),
  memoryMib: z.number(),
  /** File name in the folder of root filesystems. */
  rootfs: z.string(),
  token: z.string(),
  savedBy: z.object({ machine: z.string(), accelerator: z.string(), cpu: z.string(), version: z.string() }),
  extents: z.array(z.object({ offset: z.number(), length: z.number() })),
})

type Manifest = z.infer<typeof manifestSchema>

const unfinished = '.new'

/** Left by a making that was broken off. */
export function isBeingMade(folder: string): boolean {
  return folder.endsWith(unfinished)
}

/** What goes into a template; the files are moved, or linked, into its folder. */
export type TemplateContent = Omit<Manifest, 'version' | 'extents'>

export interface TemplateFiles {
  memory: string
  deviceState: string
  disk: string
}

/**
 * Makes `folder` from files on the same filesystem: whole and durable, or not at all. Only root can change it then.
 * `place` moves or links a file. `readable`: VMs of any user may open the memory by its path.
 */
export async function makeTemplate(
  parts: Pick<Parts, 'images'>,
  folder: string,
  options: {
    from: TemplateFiles
    content: TemplateContent
    readable: boolean
    place: (from: string, to: string) => Promise<void>
  },
): Promise<void> {
  const { from, content, readable, place } = options
  const extents = await dataExtents(parts.images.hostkit, from.disk)
  const done = `${folder}${unfinished}`
  try {
    await fill(done, { from, content: { ...content, version: 1, extents }, readable, place })
    await rm(folder, { recursive: true, force: true })
    await rename(done, folder)
  } catch (error) {
    // A file that was linked belongs to whoever it came from: no second name may be left.
    await rm(done, { recursive: true, force: true })
    throw error
  }
  await syncFolder(dirname(folder))
}

async function fill(
  done: string,
  {
    from,
    content,
    readable,
    place,
  }: {
    from: TemplateFiles
    content: Manifest
    readable: boolean
    place: (from: string, to: string) => Promise<void>
  },
): Promise<void> {
  await rm(done, { recursive: true, force: true })
  await mkdir(done, { mode: 0o711 })
  const to = templateFiles(done)
  for (const [name, mode] of [
    ['memory', readable ? 0o644 : 0o600],
    ['deviceState', 0o600],
    ['disk', 0o600],
  ] as const) {
    await place(from[name], to[name])
    await chown(to[name], 0, 0)
    await chmod(to[name], mode)
    const file = await open(to[name], 'r')
    await file.sync()
    await file.close()
  }
  await writeFileDurable(to.manifest, JSON.stringify(content))
}

/** The template in this folder; undefined when there is none that is complete. `secret`: see SavedMemory. */
export async function loadTemplate(
  parts: Pick<Parts, 'folders'>,
  folder: string,
  { secret }: { secret: boolean },
): Promise<SavedTemplate | undefined> {
  const files = templateFiles(folder)
  const manifest = parseManifest(await readFileIfThere(files.manifest))
  if (!manifest) return undefined
  const { template, vcpus, memoryMib, savedBy, token, extents } = manifest
  const rootfs = join(parts.folders.rootfs, manifest.rootfs)
  // A removal that was interrupted may have left the manifest.
  if (!(await allThere([rootfs, files.memory, files.deviceState, files.disk]))) return undefined
  const key = basename(folder)
  return {
    key,
    template,
    machine: { vcpus, memoryMib, rootfs },
    saved: { memory: { kind: 'shared', key, path: files.memory, secret }, deviceState: files.deviceState },
    savedBy,
    disk: { path: files.disk, extents },
    token,
  }
}

export function templateFiles(folder: string): TemplateFiles & { manifest: string } {
  return {
    memory: join(folder, 'memory'),
    deviceState: join(folder, 'device-state'),
    disk: join(folder, 'disk.img'),
    manifest: join(folder, 'manifest.json'),
  }
}

function parseManifest(text: string | undefined): Manifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text ?? ''))
  } catch {
    return undefined
  }
}

async function allThere(paths: string[]): Promise<boolean> {
  const found = await Promise.allSettled(paths.map((path) => access(path)))
  return found.every(({ status }) => status === 'fulfilled')
}
