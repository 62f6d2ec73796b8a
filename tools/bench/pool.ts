// Creates that find a VM ready. The platform is one of its own, with as many of them as by default.
import { pollUntil } from '@wrenn/base'
import { capacitySettings } from '../../packages/base/src/capacity-settings.ts'
import { TestPlatform } from '../../test/support/real-platform.ts'
import { User } from '../../test/support/user.ts'
import { create, destroy, exec, poolOf, type Bench } from './client.ts'
import { percentile } from './statistics.ts'

const refillTimeoutMs = 120_000
const promisedMs = 80

export async function withPool(
  bench: Bench,
  section: (bench: Bench) => Promise<string[]>,
): Promise<string[]> {
  const size = capacitySettings.WRENN_POOL_SIZE.parse(undefined)
  const platform = await TestPlatform.create({ LOG_LEVEL: 'info', WRENN_POOL_SIZE: String(size) })
  try {
    const user = await User.signUp(platform.url)
    return [`pool of ${size} ready VMs, the default`, ...(await section({ ...bench, platform, user }))]
  } finally {
    await platform.remove()
  }
}

/** Every create waits until the pool is full: then nothing else goes on. */
export async function fromPool({ user, runs }: Bench): Promise<string[]> {
  const times = { create: [] as number[], firstExec: [] as number[] }
  for (let run = -3; run < runs; run += 1) {
    await poolFull(user)
    const started = performance.now()
    const { id } = await create(user)
    const created = performance.now() - started
    await exec(user, id)
    const firstExec = performance.now() - started
    const { size, ready } = await poolOf(user)
    if (ready === size) throw new Error('the create has not taken a VM from the pool')
    await destroy(user, id)
    if (run < 0) continue
    times.create.push(created)
    times.firstExec.push(firstExec)
  }
  const figures = (values: number[]): string =>
    `p50 ${percentile(values, 0.5).toFixed(1)}  p95 ${percentile(values, 0.95).toFixed(1)}  (${values.length} runs)`
  return [
    `create → 201                  ${figures(times.create)}`,
    `create → first exec returned  ${figures(times.firstExec)}   promise p50 ≤ ${promisedMs}`,
  ]
}

export async function poolFull(user: User): Promise<void> {
  const full = async (): Promise<true | undefined> => {
    const { size, ready } = await poolOf(user)
    return ready === size ? true : undefined
  }
  await pollUntil('the pool is full', full, { timeoutMs: refillTimeoutMs })
}
