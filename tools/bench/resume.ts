// Resume to first command, beside the floor: QEMU by itself with copies of the same files, and envd called directly.
import { copyFile, constants, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { dataExtents } from '../../apps/host-agent/src/storage/disk.ts'
import { savedFiles, vmFiles } from '../../apps/host-agent/src/storage/layout.ts'
import { agentRecord } from '../../test/support/agent-record.ts'
import { create, destroy, exec, pause, resume, type Bench } from './client.ts'
import { Floor, type Origin } from './floor.ts'
import { folded } from './pause.ts'
import { comparisonLines } from './statistics.ts'

export async function resumeTimes(bench: Bench): Promise<string[]> {
  const { user, platform, runs } = bench
  const { id } = await create(user)
  await exec(user, id)
  await pause(user, id)
  await folded(bench, id)
  const floor = await Floor.open(platform.folder)
  try {
    const origin = await copyOf(bench, id, floor)
    const times = { floor: [] as number[], folded: [] as number[], unfolded: [] as number[] }
    for (let run = -1; run < runs; run += 1) {
      const bare = await floor.run(origin, { init: false })
      const afterFold = await resumeAndExec(bench, id)
      await pause(user, id)
      const beforeFold = await resumeAndExec(bench, id)
      await pause(user, id)
      await folded(bench, id)
      if (run < 0) continue
      times.floor.push(bare.firstExec)
      times.folded.push(afterFold)
      times.unfolded.push(beforeFold)
    }
    await destroy(user, id)
    const what = 'resume → first exec returned'
    return comparisonLines([
      { what, floor: times.floor, ours: times.folded, promise: 'p50 ≤ 1.3 × floor' },
      { what: `${what}, right after the pause`, floor: times.floor, ours: times.unfolded, promise: '' },
    ])
  } finally {
    await floor.close()
  }
}

async function resumeAndExec({ user }: Bench, id: string): Promise<number> {
  const started = performance.now()
  await resume(user, id)
  await exec(user, id)
  return performance.now() - started
}

/** The files of a paused sandbox, for QEMU alone. */
async function copyOf(bench: Bench, id: string, floor: Floor): Promise<Origin> {
  const { folder, record } = await agentRecord(bench.platform.folder, id)
  if (record.state.kind !== 'saved') throw new Error(`${id} is not paused`)
  const { folders, images } = floor.parts
  const copies = join(folders.sandboxes, 'copies')
  await mkdir(copies, { mode: 0o711 })
  const from = vmFiles(folder)
  const { deviceState } = savedFiles(folder, record.state.number)
  const to = { memory: join(copies, 'memory'), device: join(copies, 'device'), disk: join(copies, 'disk') }
  await copyFile(from.memory, to.memory, constants.COPYFILE_FICLONE)
  await copyFile(deviceState, to.device)
  await floor.parts.storage.cloneFile(from.disk, to.disk)
  return {
    machine: {
      vcpus: record.vcpus,
      memoryMib: record.memoryMib,
      rootfs: join(folders.rootfs, record.rootfs),
    },
    saved: { memory: { kind: 'own', path: to.memory }, deviceState: to.device },
    disk: { path: to.disk, extents: await dataExtents(images.hostkit, to.disk) },
    token: record.token,
  }
}
