// Creates from a snapshot template, beside the floor: QEMU by itself with the template's own files.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { layout } from '../../apps/host-agent/src/storage/layout.ts'
import { loadTemplate } from '../../apps/host-agent/src/sandbox/saved-template.ts'
import { create, destroy, exec, snapshot, type Bench } from './client.ts'
import { Floor, type Origin } from './floor.ts'
import { comparisonLines } from './statistics.ts'

const name = 'bench'

export async function fromSnapshot({ user, platform, runs }: Bench): Promise<string[]> {
  const { id } = await create(user)
  await exec(user, id)
  await snapshot(user, id, name)
  const floor = await Floor.open(platform.folder)
  try {
    const origin = await onlySnapshot(platform.folder, floor)
    const times = { floor: [] as number[], ours: [] as number[] }
    for (let run = -1; run < runs; run += 1) {
      const bare = await floor.run(origin, { init: true })
      const started = performance.now()
      const { id } = await create(user, { template: name })
      await exec(user, id)
      const ours = performance.now() - started
      await destroy(user, id)
      if (run < 0) continue
      times.floor.push(bare.firstExec)
      times.ours.push(ours)
    }
    const what = 'create from a snapshot → first exec returned'
    return comparisonLines([{ what, ...times, promise: 'p50 ≤ 1.3 × floor' }])
  } finally {
    await floor.close()
  }
}

async function onlySnapshot(platformFolder: string, { parts }: Floor): Promise<Origin> {
  const { snapshots } = layout(platformFolder)
  const [key = '', ...others] = await readdir(snapshots)
  const template = await loadTemplate(parts, join(snapshots, key), { secret: true })
  if (!template || others.length > 0) throw new Error('there is not just one snapshot')
  return template
}
