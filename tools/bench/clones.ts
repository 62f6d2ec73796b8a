// Many sandboxes of one template: made at once, and what each costs while it idles.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MIB } from '@wrenn/base'
import { agentRecord, type AgentRecord } from '../../test/support/agent-record.ts'
import { create, destroy, exec, type Bench } from './client.ts'
import { poolFull } from './pool.ts'
import { percentile } from './statistics.ts'

const cloneCount = 20

export async function manyAtOnce({ user }: Bench): Promise<string[]> {
  await destroy(user, (await create(user)).id)
  const lines: string[] = []
  for (const count of [20, 100]) {
    await poolFull(user)
    const times: number[] = []
    const started = performance.now()
    const sandboxes = await Promise.all(
      Array.from({ length: count }, async () => {
        const sandbox = await create(user)
        times.push(performance.now() - started)
        return sandbox
      }),
    )
    const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)].map((ms) => ms.toFixed(0))
    await Promise.all(sandboxes.map(({ id }) => exec(user, id)))
    await Promise.all(sandboxes.map(({ id }) => destroy(user, id)))
    lines.push(`${count} creates at once: all succeeded and ran a command; p50 ${p50}, p99 ${p99}`)
  }
  return lines
}

export async function idleClones({ user, platform }: Bench): Promise<string[]> {
  const sandboxes = await Promise.all(Array.from({ length: cloneCount }, () => create(user)))
  for (const { id } of sandboxes) await exec(user, id)
  const known = await Promise.all(sandboxes.map(({ id }) => agentRecord(platform.folder, id)))
  const memory = await Promise.all(known.map(({ record }) => privateMemoryMib(record)))
  const disk = await Promise.all(known.map(({ folder }) => ownDiskMib(folder)))
  await Promise.all(sandboxes.map(({ id }) => destroy(user, id)))
  const all = disk.reduce((sum, mib) => sum + mib, 0)
  const each = (values: number[]): string => values.map((mib) => mib.toFixed(0)).join(' ')
  return [
    `${cloneCount} idle sandboxes of one template, 512 MiB each:`,
    `  disk used by all, in MiB: ${all.toFixed(1)} (each ${(all / cloneCount).toFixed(1)})`,
    `  private memory of each, in MiB: ${each(memory)}`,
  ]
}

/** Anonymous pages of the VMM: what is not shared with the other VMs of the same golden snapshot. */
async function privateMemoryMib({ id, state }: AgentRecord): Promise<number> {
  if (state.kind !== 'live') throw new Error(`${id} does not run`)
  const rollup = await readFile(`/proc/${state.process.pid}/smaps_rollup`, 'utf8')
  const kib = Number(/^Anonymous:\s+(\d+) kB/m.exec(rollup)?.[1])
  return (kib * 1024) / MIB
}

/** stat(2): blocks of 512 bytes. A file with more links than one is the template's, too. */
async function ownDiskMib(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true })
  const stats = await Promise.all(entries.map((name) => stat(join(folder, name))))
  const own = stats.filter((entry) => entry.isDirectory() || entry.nlink === 1)
  return own.reduce((sum, { blocks }) => sum + blocks * 512, 0) / MIB
}
