// Kernel and initramfs: what a guest needs before its root filesystem. The kernel is Debian's cloud kernel, unpacked
// and never installed; the initramfs holds a static busybox, the few modules a guest needs, and envd.
import { chmod, copyFile, mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached, run } from '@wrenn/base'
import { dependencyOf, unpackPackages, type DebianSource } from './debian.ts'

/** In load order. Each comes after what it needs. */
const modules = [
  'virtio_ring',
  'virtio',
  'virtio_pci_modern_dev',
  'virtio_pci_legacy_dev',
  'virtio_pci',
  'virtio_mmio',
  'virtio_blk',
  'failover',
  'net_failover',
  'virtio_net',
  'overlay',
  'crc32c_generic',
  'libcrc32c',
  'crc16',
  'mbcache',
  'jbd2',
  'ext4',
  'erofs',
  'rng-core',
  'virtio-rng',
]

const initScript = join(import.meta.dirname, '..', 'initramfs', 'init')

export async function buildKernel(cacheDir: string, source: DebianSource): Promise<string> {
  return cached(
    cacheDir,
    'kernel',
    { texts: source.lines, paths: [import.meta.filename] },
    async (folder) => {
      const name = await dependencyOf(source, 'linux-image-cloud-amd64', folder)
      await unpackPackages(source, [name, 'busybox-static'], folder)
      const root = join(folder, 'root')
      const release = name.replace('linux-image-', '')
      await rename(join(root, 'boot', `vmlinuz-${release}`), join(folder, 'vmlinuz'))
      await rename(join(root, 'bin', 'busybox'), join(folder, 'busybox')).catch(() =>
        rename(join(root, 'usr', 'bin', 'busybox'), join(folder, 'busybox')),
      )
      await collectModules(root, join(folder, 'modules'))
      await rm(root, { recursive: true })
      await rm(join(folder, 'apt'), { recursive: true })
    },
  )
}

/** Copies the modules in load order as 00-virtio.ko …; one that the kernel has built in has no file and is left out. */
async function collectModules(root: string, target: string): Promise<void> {
  await mkdir(target)
  const files = await readdir(root, { recursive: true })
  for (const [index, module] of modules.entries()) {
    const file = files.find((path) =>
      new RegExp(`/${module.replaceAll(/[-_]/g, '[-_]')}\\.ko(\\.xz)?$`).test(path),
    )
    if (file === undefined) continue
    const copy = join(
      target,
      `${String(index).padStart(2, '0')}-${module}.ko${file.endsWith('.xz') ? '.xz' : ''}`,
    )
    await copyFile(join(root, file), copy)
    if (copy.endsWith('.xz')) await run('xz', ['--decompress', copy])
  }
}

export async function buildInitramfs(cacheDir: string, kernelFolder: string, envd: string): Promise<string> {
  return cached(
    cacheDir,
    'initramfs',
    { paths: [kernelFolder, envd, initScript, import.meta.filename] },
    async (folder) => {
      const tree = join(folder, 'tree')
      for (const part of ['bin', 'modules', 'proc', 'sys', 'dev', 'rom', 'disk', 'newroot', 'run'])
        await mkdir(join(tree, part), { recursive: true })
      await copyFile(join(kernelFolder, 'busybox'), join(tree, 'bin', 'busybox'))
      await copyFile(envd, join(tree, 'bin', 'envd'))
      await copyFile(initScript, join(tree, 'init'))
      for (const file of ['bin/busybox', 'bin/envd', 'init']) await chmod(join(tree, file), 0o755)
      for (const module of await readdir(join(kernelFolder, 'modules')))
        await copyFile(join(kernelFolder, 'modules', module), join(tree, 'modules', module))
      const files = ['.', ...(await readdir(tree, { recursive: true })).sort()]
      for (const file of files) await utimes(join(tree, file), 0, 0)
      await writeFile(join(folder, 'files'), files.join('\n'))
      const pack =
        'cd "$1/tree" && cpio --quiet --reproducible -o -H newc -R 0:0 -F "$1/initramfs" < "$1/files"'
      await run('sh', ['-c', pack, 'sh', folder])
      await rm(tree, { recursive: true })
      await rm(join(folder, 'files'))
    },
  )
}
