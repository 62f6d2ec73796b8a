// The state file of a sandbox, `state.json` in its folder: all that a new agent process needs to take a living VM over.
// It appears (whole) once there is a VM and goes with the folder. A folder without one is a create that never finished.
import { writeFile, rename } from 'node:fs/promises'
import { z } from 'zod'
import { readFileIfThere, type SandboxId } from '@wrenn/base'
import { vmFiles } from '../storage/layout.ts'

const schema = z.object({
  version: z.literal(1),
  id: z.string().transform((id) => id as SandboxId),
  template: z.string(),
  vcpus: z.number(),
  memoryMib: z.number(),
  /** The golden snapshot that it was resumed from. */
  golden: z.string(),
  slot: z.number(),
  /** envd's access token. */
  token: z.string(),
  process: z.object({ pid: z.number(), startTime: z.string() }),
  startedAt: z.string(),
})

export type SandboxRecord = z.infer<typeof schema>

/** Survives a crash of the agent, not of the machine: no VM survives that either. So there is no fsync on this path. */
export async function writeRecord(folder: string, record: SandboxRecord): Promise<void> {
  const { state } = vmFiles(folder)
  await writeFile(`${state}.tmp`, JSON.stringify(record), { mode: 0o600 })
  await rename(`${state}.tmp`, state)
}

/** Undefined when there is none, or none that this version can read. */
export async function readRecord(folder: string): Promise<SandboxRecord | undefined> {
  const text = await readFileIfThere(vmFiles(folder).state)
  if (text === undefined) return undefined
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
