// The read-only root filesystems in use, by hash, in the data folder: what is paused or a snapshot there needs its own
// for as long as it lives, whatever becomes of the cache or of the templates.
import { copyFile, constants, link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '@wrenn/base'
import type { ImagesManifest } from '@wrenn/images'

/** Keeps those of all templates here, and returns the manifest with these paths. */
export async function keepRootfs(images: ImagesManifest, folder: string): Promise<ImagesManifest> {
  await mkdir(folder, { recursive: true, mode: 0o711 })
  const templates = await Promise.all(
    Object.entries(images.templates).map(async ([name, template]) => {
      const rootfs = join(folder, rootfsName(template.hash))
      await keep(template.rootfs, rootfs)
      return [name, { ...template, rootfs }] as const
    }),
  )
  return { ...images, templates: Object.fromEntries(templates) }
}

export function rootfsName(hash: string): string {
  return `${hash}.erofs`
}

/** Removes those that nothing uses. `used`: their names. */
export async function forgetRootfs(folder: string, used: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder)) if (!used.has(name)) await rm(join(folder, name))
}

async function keep(source: string, target: string): Promise<void> {
  try {
    await link(source, target)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return
    if (!isErrno(error, 'EXDEV', 'EPERM', 'EMLINK')) throw error
    await copyFile(source, `${target}.new`, constants.COPYFILE_FICLONE)
    await rename(`${target}.new`, target)
  }
}
