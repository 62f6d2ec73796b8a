// Sandboxes beside the floor: one after the other, warm commands, twenty at once, and how much memory each has to itself.
import { readFile } from 'node:fs/promises'
import { MIB } from '@wrenn/base'
import { create, destroy, exec, inOneSandbox, timed, vmState, type Bench } from './client.ts'
import { execDirectly, Floor } from './floor.ts'
import { comparisonLines, percentile } from './statistics.ts'

/** Until the compilers of the guest's emulator and of our own processes have seen the path. */
const warmUpRuns = 200
const execsPerRun = 5

export async function oneAfterTheOther(bench: Bench): Promise<string[]> {
  const { user, platform, runs } = bench
  const floor = await Floor.open(platform.folder)
  try {
    await floor.run() // warms what both use: page cache, sealed memory, JIT
    await destroy(user, (await create(user)).id)
    const creating = { floor: [] as number[], ours: [] as number[] }
    const firstExec = { floor: [] as number[], ours: [] as number[] }
    for (let run = 0; run < runs; run += 1) {
      const bare = await floor.run()
      creating.floor.push(bare.create)
      firstExec.floor.push(bare.firstExec)
      const started = performance.now()
      const { id } = await create(user)
      creating.ours.push(performance.now() - started)
      await exec(user, id)
      firstExec.ours.push(performance.now() - started)
      await destroy(user, id)
    }
    return comparisonLines([
      { what: 'create → 201', ...creating, promise: 'p50 ≤ 1.3 × floor' },
      { what: 'create → first exec returned', ...firstExec, promise: '' },
    ])
  } finally {
    await floor.close()
  }
}

export async function warmExec(bench: Bench): Promise<string[]> {
  return inOneSandbox(bench, async ({ id, hostIp, token }) => {
    const times = { floor: [] as number[], ours: [] as number[] }
    for (let run = -warmUpRuns; run < bench.runs * execsPerRun; run += 1) {
      const bare = await timed(() => execDirectly(hostIp, token))
      const ours = await timed(() => exec(bench.user, id))
      if (run < 0) continue
      times.floor.push(bare)
      times.ours.push(ours)
    }
    const promise = 'p50 ≤ floor + 5 ms'
    return comparisonLines([{ what: "exec sh -c 'echo hi', warm", ...times, promise }])
  })
}

export async function manyAtOnce({ user }: Bench): Promise<string[]> {
  const count = 20
  const times: number[] = []
  const started = performance.now()
  const sandboxes = await Promise.all(
    Array.from({ length: count }, async () => {
      const sandbox = await create(user)
      times.push(performance.now() - started)
      return sandbox
    }),
  )
  const [p50, last] = [percentile(times, 0.5), percentile(times, 1)].map((ms) => ms.toFixed(0))
  await Promise.all(sandboxes.map(({ id }) => destroy(user, id)))
  return [`${count} creates at once: all succeeded; half after ${p50} ms, all after ${last} ms`]
}

export async function sideBySide(bench: Bench): Promise<string[]> {
  const { user } = bench
  const sandboxes = await Promise.all(Array.from({ length: 10 }, () => create(user)))
  for (const { id } of sandboxes) await exec(user, id)
  const memory = await Promise.all(sandboxes.map(({ id }) => privateMemoryMib(bench, id)))
  await Promise.all(sandboxes.map(({ id }) => destroy(user, id)))
  return [`10 sandboxes of 512 MiB side by side, private memory of each in MiB: ${memory.join(' ')}`]
}

/** Anonymous pages of the VMM: what is not shared with the other VMs of the same golden snapshot. */
async function privateMemoryMib(bench: Bench, id: string): Promise<string> {
  const { process } = await vmState(bench, id)
  const rollup = await readFile(`/proc/${process.pid}/smaps_rollup`, 'utf8')
  const kib = Number(/^Anonymous:\s+(\d+) kB/m.exec(rollup)?.[1])
  return ((kib * 1024) / MIB).toFixed(0)
}
