// `npm run bench [runs]`: how fast we are, beside the floor measured in the same run, alternating, so that a noisy
// machine is as unfair to one as to the other. Starts a platform of its own and removes it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MIB } from '@wrenn/base'
import { vmFiles } from '../../apps/host-agent/src/storage/layout.ts'
import { TestPlatform } from '../../test/support/real-platform.ts'
import { User } from '../../test/support/user.ts'
import { execDirectly, Floor } from './floor.ts'
import { send } from './http.ts'
import { comparisonLines, percentile } from './statistics.ts'
import { transferComparisons } from './transfers.ts'

const runs = Math.max(20, Number(process.argv[2] ?? 20))
const execRuns = runs * 5
/** Until the compilers of the guest's emulator and of our own processes have seen the path. */
const warmUpRuns = 200

const platform = await TestPlatform.create({ LOG_LEVEL: 'info' })
try {
  console.log(
    platform.output
      .split('\n')
      .find((line) => line.includes('accelerator'))
      ?.trim(),
  )
  const user = await User.signUp(platform.url)
  const floor = await Floor.open(platform.folder)
  try {
    await bench(user, floor)
  } finally {
    await floor.close()
  }
} finally {
  await platform.remove()
}

async function bench(user: User, floor: Floor): Promise<void> {
  await floor.run() // warms what both use: page cache, sealed memory, JIT
  await destroy(user, (await create(user)).id)
  const creating = { floor: [] as number[], ours: [] as number[] }
  const firstExec = { floor: [] as number[], ours: [] as number[] }
  for (let run = 0; run < runs; run++) {
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
  const warm = await warmExec(user)
  const transfers = await inOneSandbox(user, (guest) => transferComparisons(user, guest))
  const lines = comparisonLines([
    { what: 'create → 201', ...creating, promise: 'p50 ≤ 1.3 × floor' },
    { what: 'create → first exec returned', ...firstExec, promise: '' },
    { what: "exec sh -c 'echo hi', warm", ...warm, promise: 'p50 ≤ floor + 5 ms' },
    ...transfers,
  ])
  console.log(`\nmilliseconds\n${lines.join('\n')}\n`)
  await manyAtOnce(user)
  await sideBySide(user)
}

async function warmExec(user: User): Promise<{ floor: number[]; ours: number[] }> {
  return inOneSandbox(user, async ({ id, hostIp, token }) => {
    const times = { floor: [] as number[], ours: [] as number[] }
    for (let run = -warmUpRuns; run < execRuns; run++) {
      const bare = await timed(() => execDirectly(hostIp, token))
      const ours = await timed(() => exec(user, id))
      if (run < 0) continue
      times.floor.push(bare)
      times.ours.push(ours)
    }
    return times
  })
}

/** Runs `work` with a sandbox that it can also reach directly. */
async function inOneSandbox<T>(
  user: User,
  work: (guest: { id: string; hostIp: string; token: string }) => Promise<T>,
): Promise<T> {
  const { id, host_ip: hostIp } = await create(user)
  const state = await readFile(vmFiles(join(platform.folder, 'sandboxes', id)).state, 'utf8')
  const { token } = JSON.parse(state) as { token: string }
  const result = await work({ id, hostIp, token })
  await destroy(user, id)
  return result
}

async function manyAtOnce(user: User): Promise<void> {
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
  console.log(`${count} creates at once: all succeeded; half after ${p50} ms, all after ${last} ms`)
  await Promise.all(sandboxes.map(({ id }) => destroy(user, id)))
}

async function sideBySide(user: User): Promise<void> {
  const sandboxes = await Promise.all(Array.from({ length: 10 }, () => create(user)))
  for (const { id } of sandboxes) await exec(user, id)
  const memory = await Promise.all(sandboxes.map(({ id }) => privateMemoryMib(id)))
  console.log(`10 sandboxes of 512 MiB side by side, private memory of each in MiB: ${memory.join(' ')}`)
  await Promise.all(sandboxes.map(({ id }) => destroy(user, id)))
}

/** Anonymous pages of the VMM: what is not shared with the other VMs of the same golden snapshot. */
async function privateMemoryMib(id: string): Promise<string> {
  const state = await readFile(vmFiles(join(platform.folder, 'sandboxes', id)).state, 'utf8')
  const { process } = JSON.parse(state) as { process: { pid: number } }
  const rollup = await readFile(`/proc/${process.pid}/smaps_rollup`, 'utf8')
  const kib = Number(/^Anonymous:\s+(\d+) kB/m.exec(rollup)?.[1])
  return ((kib * 1024) / MIB).toFixed(0)
}

async function create(user: User): Promise<{ id: string; host_ip: string }> {
  const answer = await call(user, { method: 'POST', path: '/v1/sandboxes', body: {}, expect: 201 })
  return JSON.parse(answer.toString()) as { id: string; host_ip: string }
}

async function exec(user: User, id: string): Promise<void> {
  const body = { cmd: 'sh', args: ['-c', 'echo hi'] }
  await call(user, { method: 'POST', path: `/v1/sandboxes/${id}/exec`, body, expect: 200 })
}

async function destroy(user: User, id: string): Promise<void> {
  await call(user, { method: 'DELETE', path: `/v1/sandboxes/${id}`, expect: 204 })
}

function call(
  user: User,
  { method, path, body, expect }: { method: string; path: string; body?: object; expect: number },
): Promise<Buffer> {
  return send(`${user.url}${path}`, {
    method,
    headers: { 'x-api-key': user.key, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: Buffer.from(JSON.stringify(body)) } : {}),
    expect,
  })
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
