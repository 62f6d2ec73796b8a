// Builds everything that is not TypeScript: envd, hostkit, kernel + initramfs, root filesystem templates. Called by the
// launcher's set-up and by tests; writes into the cache folder only, and is quick when nothing changed.
import { join } from 'node:path'
import { fileHash } from '@wrenn/base'
import { z } from 'zod'
import { buildInitramfs, buildKernel } from './boot.ts'
import { debianSource } from './debian.ts'
import { buildGo } from './go.ts'
import { buildTemplate } from './template.ts'

export { buildGo }

/** What `{WRENN_DIR}/images.json` holds: absolute paths into the cache and the hashes that name their content. */
export const imagesManifest = z.object({
  boot: z.object({ hash: z.string(), kernel: z.string(), initramfs: z.string() }),
  hostkit: z.string(),
  templates: z.record(z.string(), z.object({ hash: z.string(), rootfs: z.string(), sizeBytes: z.number() })),
})

export type ImagesManifest = z.infer<typeof imagesManifest>

const repository = join(import.meta.dirname, '..', '..')

export interface BuildOptions {
  cacheDir: string
  environment?: NodeJS.ProcessEnv
  onProgress?: (line: string) => void
}

export async function buildImages({
  cacheDir,
  environment = process.env,
  onProgress,
}: BuildOptions): Promise<ImagesManifest> {
  const source = await debianSource(environment)
  onProgress?.('envd and hostkit')
  const envd = await buildGo(cacheDir, 'envd', join(repository, 'guest', 'envd'))
  const hostkit = await buildGo(cacheDir, 'hostkit', join(repository, 'apps', 'host-agent', 'hostkit'))
  onProgress?.('kernel and initramfs')
  const kernelFolder = await buildKernel(cacheDir, source)
  const kernel = join(kernelFolder, 'vmlinuz')
  const initramfs = join(await buildInitramfs(cacheDir, kernelFolder, envd), 'initramfs')
  onProgress?.('template minimal')
  const minimal = await buildTemplate(cacheDir, source, 'minimal')
  const hash = `${await fileHash(kernel)}${await fileHash(initramfs)}`
  return { boot: { hash, kernel, initramfs }, hostkit, templates: { minimal } }
}
