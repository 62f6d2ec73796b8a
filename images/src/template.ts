// Root filesystem templates: a Debian tree made by mmdebstrap from templates/NAME/{packages,customize.sh}, packed as one
// read-only EROFS image. The same packages give the same bytes.
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { cached, fileHash, run } from '@wrenn/base'
import type { DebianSource } from './debian.ts'

/** All files of a template get this time, in seconds since 1970, and so does the image. */
const buildTime = '1700000000'

export interface TemplateImage {
  /** Of the image's content. */
  hash: string
  rootfs: string
  sizeBytes: number
}

export async function buildTemplate(
  cacheDir: string,
  source: DebianSource,
  name: string,
): Promise<TemplateImage> {
  const recipe = join(import.meta.dirname, '..', 'templates', name)
  const inputs = { texts: [...source.lines, buildTime], paths: [recipe, import.meta.filename] }
  const folder = await cached(cacheDir, `template-${name}`, inputs, async (target) => {
    const packages = (await readFile(join(recipe, 'packages'), 'utf8')).trim().split('\n')
    const tree = join(target, 'tree')
    await run(
      'mmdebstrap',
      [
        '--mode=root',
        '--variant=minbase',
        `--include=${packages.join(',')}`,
        '--dpkgopt=path-exclude=/usr/share/doc/*',
        '--dpkgopt=path-include=/usr/share/doc/*/copyright',
        '--dpkgopt=path-exclude=/usr/share/man/*',
        '--dpkgopt=path-exclude=/usr/share/locale/*',
        '--dpkgopt=path-exclude=/usr/share/info/*',
        `--customize-hook=${join(recipe, 'customize.sh')}`,
        source.suite,
        tree,
        ...source.lines,
      ],
      { timeoutMs: 600_000, env: { ...process.env, SOURCE_DATE_EPOCH: buildTime } },
    )
    const fixed = ['-T', buildTime, '-U', '00000000-0000-0000-0000-000000000000']
    await run('mkfs.erofs', ['--quiet', ...fixed, join(target, 'rootfs.erofs'), tree], { timeoutMs: 300_000 })
    await rm(tree, { recursive: true })
  })
  const rootfs = join(folder, 'rootfs.erofs')
  return { hash: await fileHash(rootfs), rootfs, sizeBytes: (await stat(rootfs)).size }
}
