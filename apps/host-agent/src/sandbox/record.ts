// The state file of a sandbox, `state.json` in its folder: all that a new agent process needs to go on with it. It is
// durable, and each change of it is the moment at which a pause, a resume or a snapshot has happened or has not.
// A folder without one is a create that never finished.
import { z } from 'zod'
import { readFileIfThere, stageFile, writeFileDurable, type SandboxId } from '@wrenn/base'
import { savedFiles, vmFiles } from '../storage/layout.ts'

/** What a VM's memory lies over: its template's, linked into the folder, or its own file. */
const memory = z.enum(['base', 'own'])

const live = z.object({
  kind: z.literal('live'),
  memory,
  slot: z.number(),
  process: z.object({ pid: z.number(), startTime: z.string() }),
  startedAt: z.string(),
  /** What the caller should know of this run: that its disk was booted anew, and why. */
  reason: z.string().optional(),
})

const saved = z.object({
  kind: z.literal('saved'),
  /** Names the files of this pause. */
  number: z.number(),
  memory,
  /** The pages written since the memory was mapped still stand beside it. */
  delta: z.boolean(),
  savedBy: z.object({ machine: z.string(), accelerator: z.string(), cpu: z.string(), version: z.string() }),
  /** Why it was paused, when nobody asked. */
  reason: z.string().optional(),
  /** The next agent resumes it: it was paused only because the platform stopped, or for a snapshot. */
  resumeAtStart: z.boolean(),
  /** It is becoming this snapshot template. */
  snapshot: z.string().optional(),
})

/** Its memory is lost, its disk is not. */
const cold = z.object({ kind: z.literal('cold'), reason: z.string() })
const expired = z.object({ kind: z.literal('expired'), reason: z.string() })
const failed = z.object({ kind: z.literal('failed'), reason: z.string() })

/** Of the state file. A version that cannot read one leaves it as it is. */
const version = 2

const schema = z.object({
  version: z.literal(version),
  id: z.string().transform((id) => id as SandboxId),
  template: z.string(),
  snapshot: z.string().optional(),
  /** File name in the folder of root filesystems. */
  rootfs: z.string(),
  vcpus: z.number(),
  memoryMib: z.number(),
  timeoutSec: z.number(),
  onTimeout: z.enum(['pause', 'destroy']),
  /** Grows with every change of `state`. */
  generation: z.number(),
  /** envd's access token. */
  token: z.string(),
  machineId: z.string(),
  state: z.discriminatedUnion('kind', [live, saved, cold, expired, failed]),
})

export type SandboxRecord = z.infer<typeof schema>
type State = SandboxRecord['state']
/** A record whose sandbox is in this state. */
export type RecordIn<Kind extends State['kind']> = SandboxRecord & { state: Extract<State, { kind: Kind }> }

export function isIn<Kind extends State['kind']>(
  record: SandboxRecord,
  ...kinds: Kind[]
): record is RecordIn<Kind> {
  return (kinds as string[]).includes(record.state.kind)
}

/** The record after a change. */
export function changed<Kind extends State['kind']>(
  record: SandboxRecord,
  state: Extract<State, { kind: Kind }>,
): RecordIn<Kind> {
  return { ...record, generation: record.generation + 1, state }
}

export async function writeRecord(folder: string, record: SandboxRecord): Promise<void> {
  await writeFileDurable(vmFiles(folder).state, JSON.stringify(record))
}

/** As `writeRecord`, but the record counts only once the function that comes back has run. */
export function stageRecord(folder: string, record: SandboxRecord): Promise<() => Promise<void>> {
  return stageFile(vmFiles(folder).state, JSON.stringify(record))
}

/** Undefined when there is none. Throws when this version cannot read it. */
export async function readRecord(folder: string): Promise<SandboxRecord | undefined> {
  const text = await readFileIfThere(vmFiles(folder).state)
  return text === undefined ? undefined : schema.parse(JSON.parse(text))
}

/** What the files of all versions say. */
const anyVersion = z.object({
  version: z.number(),
  id: z.string().transform((id) => id as SandboxId),
  template: z.string(),
  vcpus: z.number(),
  memoryMib: z.number(),
})

/**
 * A record that stands for one that `readRecord` cannot read; never written. Its generation is older than any: whatever
 * is known of the sandbox elsewhere is newer. Undefined when the file is no state file of any version.
 */
export async function strangeRecord(folder: string): Promise<RecordIn<'failed'> | undefined> {
  const text = (await readFileIfThere(vmFiles(folder).state)) ?? ''
  const { data } = z.preprocess(parseJson, anyVersion).safeParse(text)
  if (!data) return undefined
  const reason = `its state file has version ${data.version}, and this Wrenn reads ${version}`
  return {
    ...data,
    version,
    rootfs: '',
    timeoutSec: 0,
    onTimeout: 'pause',
    generation: 0,
    token: '',
    machineId: '',
    state: { kind: 'failed', reason },
  }
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}

/** Names of the files directly in the folder that this record needs; whatever else lies there is left over. */
export function filesOf(folder: string, { state }: SandboxRecord): string[] {
  const { state: stateFile, log, vm, base } = vmFiles(folder)
  const always = [stateFile, log, vm]
  if (state.kind === 'live') return state.memory === 'base' ? [...always, base] : always
  if (state.kind !== 'saved') return always
  const { deviceState, delta } = savedFiles(folder, state.number)
  return [...always, deviceState, ...(state.delta ? [delta] : []), ...(state.memory === 'base' ? [base] : [])]
}
