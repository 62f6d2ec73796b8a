// How long a pause keeps its caller waiting: of a sandbox that idles, and of one that has dirtied much memory, beside the
// mere writing of as many bytes to the same disk.
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MIB, pollUntil } from '@wrenn/base'
import { agentRecord } from '../../test/support/agent-record.ts'
import { create, destroy, exec, pause, resume, timed, type Bench } from './client.ts'
import { percentile } from './statistics.ts'

const dirtyMib = 256
const dirtyRuns = 5
const promisedMs = 100
const idleMs = 1_000

export async function pauseTimes(bench: Bench): Promise<string[]> {
  const { user, runs } = bench
  const { id } = await create(user)
  const idle: number[] = []
  for (let run = -2; run < runs; run += 1) {
    await exec(user, id)
    await new Promise((resolve) => setTimeout(resolve, idleMs))
    const durationMs = await timed(() => pause(user, id))
    if (run >= 0) idle.push(durationMs)
    await folded(bench, id)
    await resume(user, id)
  }
  await exec(user, id, `mount -t tmpfs -o size=${dirtyMib + 16}m none /mnt`)
  const dirty = { ours: [] as number[], disk: [] as number[] }
  for (let run = 0; run < dirtyRuns; run += 1) {
    await exec(user, id, `yes ${run} | head -c ${dirtyMib * MIB} > /mnt/dirty`)
    dirty.ours.push(await timed(() => pause(user, id)))
    await folded(bench, id)
    dirty.disk.push(await timed(() => writeDurably(join(bench.platform.folder, 'written'))))
    await resume(user, id)
  }
  await destroy(user, id)
  const figures = (values: number[]): string =>
    `p50 ${percentile(values, 0.5).toFixed(0)}  p95 ${percentile(values, 0.95).toFixed(0)}  (${values.length} runs)`
  return [
    `pause of an idle 512 MiB sandbox     ${figures(idle)}   promise p50 ≤ ${promisedMs}`,
    `pause after dirtying ${dirtyMib} MiB         ${figures(dirty.ours)}`,
    `${dirtyMib} MiB written to the disk, fsynced  ${figures(dirty.disk)}`,
  ]
}

/** Returns when a paused sandbox has all of its memory in one file. */
export async function folded(bench: Bench, id: string): Promise<void> {
  const isFolded = async (): Promise<true | undefined> => {
    const { state } = (await agentRecord(bench.platform.folder, id)).record
    return state.kind === 'saved' && !state.delta ? true : undefined
  }
  await pollUntil('the pause is folded', isFolded, { timeoutMs: 120_000 })
}

async function writeDurably(path: string): Promise<void> {
  const file = await open(path, 'w')
  const block = Buffer.alloc(MIB, 'x')
  for (let written = 0; written < dirtyMib; written += 1) await file.write(block)
  await file.sync()
  await file.close()
  await rm(path)
}
