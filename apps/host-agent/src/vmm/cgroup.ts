// CPU and memory limits of VMs, through cgroup v2 where the machine has it with these controllers; elsewhere VMs run
// without limits, and the agent says so. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, isErrno, MIB, pollUntil, readFileIfThere } from '@wrenn/base'

/** What a VMM needs beside the guest's memory: translation cache, device models, queues. */
const overheadMib = 256
const cpuPeriodUs = 100_000
const needed = ['cpu', 'memory'] as const

export class Cgroups {
  /** Why there are no limits; undefined when there are. */
  readonly obstacle: string | undefined
  readonly #root: string

  private constructor(root: string, obstacle: string | undefined) {
    this.#root = root
    this.obstacle = obstacle
  }

  static async open(instance: string): Promise<Cgroups> {
    const mount = await v2Mount()
    if (mount === undefined) return new Cgroups('', 'cgroup v2 is not mounted')
    const root = join(mount, `wrenn-${instance}`)
    try {
      const controllers = (await readFile(join(mount, 'cgroup.controllers'), 'utf8')).split(/\s+/)
      const missing = needed.filter((controller) => !controllers.includes(controller))
      if (missing.length > 0)
        return new Cgroups('', `cgroup v2 at ${mount} lacks the controllers ${missing.join(', ')}`)
      const enable = needed.map((controller) => `+${controller}`).join(' ')
      await writeFile(join(mount, 'cgroup.subtree_control'), enable)
      await mkdir(root, { recursive: true })
      await writeFile(join(root, 'cgroup.subtree_control'), enable)
      return new Cgroups(root, undefined)
    } catch (error) {
      return new Cgroups('', `cgroup v2 at ${mount} cannot be used: ${errorText(error)}`)
    }
  }

  /** Makes the group of one VM. Undefined where there are no limits. */
  async make(name: string, limits: { vcpus: number; memoryMib: number }): Promise<string | undefined> {
    if (this.obstacle !== undefined) return undefined
    const folder = join(this.#root, name)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'cpu.max'), `${limits.vcpus * cpuPeriodUs} ${cpuPeriodUs}`)
    await writeFile(join(folder, 'memory.max'), String((limits.memoryMib + overheadMib) * MIB))
    return folder
  }

  /** Removes the group once its VM is gone. */
  async remove(name: string): Promise<void> {
    if (this.obstacle === undefined) await removeGroup(join(this.#root, name))
  }

  async list(): Promise<string[]> {
    if (this.obstacle !== undefined) return []
    const entries = await readdir(this.#root, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  }

  async close(): Promise<void> {
    if (this.obstacle === undefined && (await this.list()).length === 0) await removeGroup(this.#root)
  }
}

/** A group stays busy for a moment after its last process has gone. */
async function removeGroup(folder: string): Promise<void> {
  await pollUntil(
    `the cgroup ${folder} is empty`,
    async () => {
      try {
        await rmdir(folder)
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error
      }
      return true
    },
    { timeoutMs: 5000 },
  )
}

async function v2Mount(): Promise<string | undefined> {
  const mounts = (await readFileIfThere('/proc/self/mounts')) ?? ''
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2')?.[1]
}
