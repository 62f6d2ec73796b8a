// `npm run soak -- [--cycles N] [--chain N] [--clones N]` (200, 10, 4): pauses, resumes and snapshots on a platform of its own, everything
// verified each time (test/support/soak). A failure is told and counted, and the rest goes on with a new sandbox. Exits
// with 1 when there was any.
import { parseArgs } from 'node:util'
import { errorText } from '@wrenn/base'
import { capacitySettings } from '../../packages/base/src/capacity-settings.ts'
import { TestPlatform } from '../../test/support/real-platform.ts'
import { pauseResumeCycles, type CycleTimes } from '../../test/support/soak/cycles.ts'
import { snapshotChain } from '../../test/support/soak/snapshots.ts'
import { User } from '../../test/support/user.ts'
import { percentile } from '../bench/statistics.ts'

/** Of one sandbox, then comes the next with another number of vcpus. */
const cyclesPerSandbox = 25

const options = readOptions()
const started = performance.now()
// With a pool of ready VMs, as by default: what comes from it must be like any other. (npm test soaks without.)
const poolSize = capacitySettings.WRENN_POOL_SIZE.parse(undefined)
const platform = await TestPlatform.create({ LOG_LEVEL: 'info', WRENN_POOL_SIZE: String(poolSize) })
const failures: string[] = []
try {
  const user = await User.signUp(platform.url)
  const cycles = await allCycles(user)
  const chain = { depth: options.chain, clones: options.clones, onStep: progress }
  if (options.chain > 0) await counted(() => snapshotChain(platform, user, chain))
  printFigures(cycles)
} finally {
  await platform.remove()
}
if (failures.length > 0) process.exitCode = 1

async function allCycles(user: User): Promise<CycleTimes & { done: number; worstClockMs: number }> {
  const all = { pauseMs: [] as number[], resumeMs: [] as number[], done: 0, worstClockMs: 0 }
  for (let round = 0, begun = 0; begun < options.cycles; round += 1, begun += cyclesPerSandbox) {
    const cycles = Math.min(cyclesPerSandbox, options.cycles - begun)
    const onCycle = (line: string): void => {
      all.done += 1
      progress(line)
    }
    await counted(async () => {
      const round_ = await pauseResumeCycles(platform, user, { cycles, vcpus: 1 + (round % 2), onCycle })
      all.pauseMs.push(...round_.pauseMs)
      all.resumeMs.push(...round_.resumeMs)
      all.worstClockMs = Math.max(all.worstClockMs, round_.worstClockMs)
    })
  }
  return all
}

async function counted(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    failures.push(errorText(error))
    progress(`FAILED: ${errorText(error)}`)
  }
}

function printFigures(cycles: Awaited<ReturnType<typeof allCycles>>): void {
  const figures = (times: readonly number[]): string =>
    `p50 ${percentile(times, 0.5).toFixed(0)} ms, p99 ${percentile(times, 0.99).toFixed(0)} ms (${times.length})`
  console.log(`
${cycles.done} of ${options.cycles} cycles right, ${failures.length} failures
pause   ${figures(cycles.pauseMs)}
resume  ${figures(cycles.resumeMs)}
clock   at most ${cycles.worstClockMs.toFixed(0)} ms off after a resume
snapshots in a chain: ${options.chain}, clones compared: ${options.clones}`)
  for (const failure of failures) console.log(`failure: ${failure}`)
}

function progress(line: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${line}`)
}

function readOptions(): { cycles: number; chain: number; clones: number } {
  const number = { type: 'string' } as const
  const { values } = parseArgs({ options: { cycles: number, chain: number, clones: number } })
  const read = (name: keyof typeof values, otherwise: number): number => {
    const value = Number(values[name] ?? otherwise)
    if (!Number.isInteger(value) || value < 0) {
      console.error(`--${name} must be a whole number, not ${values[name]}`)
      process.exit(2)
    }
    return value
  }
  return { cycles: read('cycles', 200), chain: read('chain', 10), clones: read('clones', 4) }
}
