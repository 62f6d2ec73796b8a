// Sandboxes beside the floor: one after the other, and warm commands.
import { create, destroy, exec, inOneSandbox, poolOf, timed, type Bench } from './client.ts'
import { execDirectly, Floor } from './floor.ts'
import { comparisonLines } from './statistics.ts'

/** Until the compilers of the guest's emulator and of our own processes have seen the path. */
const warmUpRuns = 200
const execsPerRun = 5

export async function oneAfterTheOther(bench: Bench): Promise<string[]> {
  const { user, platform, runs } = bench
  const floor = await Floor.open(platform.folder)
  try {
    const { size } = await poolOf(user)
    const golden = await floor.golden()
    await floor.run(golden, { init: true }) // warms what both use: page cache, sealed memory, JIT
    await destroy(user, (await create(user)).id)
    const creating = { floor: [] as number[], ours: [] as number[] }
    const firstExec = { floor: [] as number[], ours: [] as number[] }
    for (let run = 0; run < runs; run += 1) {
      const bare = await floor.run(golden, { init: true })
      creating.floor.push(bare.create)
      firstExec.floor.push(bare.firstExec)
      const started = performance.now()
      const { id } = await create(user)
      creating.ours.push(performance.now() - started)
      await exec(user, id)
      firstExec.ours.push(performance.now() - started)
      await destroy(user, id)
    }
    return [
      size === 0 ? 'without a pool of ready VMs, as the floor' : `from a pool of up to ${size} ready VMs`,
      ...comparisonLines([
        { what: 'create → 201', ...creating, promise: 'p50 ≤ 1.3 × floor' },
        { what: 'create → first exec returned', ...firstExec, promise: '' },
      ]),
    ]
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
