// After a pause: the delta becomes part of the sandbox's memory file, which the next VM maps. The first time into a copy
// of the template's memory, later in place. A crash in the middle costs nothing: the delta is there until the state file
// says that it is not needed.
import { rename } from 'node:fs/promises'
import { savedFiles, vmFiles } from '../storage/layout.ts'
import type { Parts } from './parts.ts'
import type { RecordIn } from './record.ts'
import type { PausedSandbox } from './pause.ts'

/** The sandbox with all of its memory in one file. Nothing to do when it is so already. */
export async function foldMemory(parts: Parts, paused: PausedSandbox): Promise<PausedSandbox> {
  const { record, folder } = paused
  if (!record.state.delta) return paused
  const { storage } = parts
  const { base, memory } = vmFiles(folder)
  const { delta } = savedFiles(folder, record.state.number)
  if (record.state.memory === 'own') await storage.foldDelta(delta, memory)
  else {
    const fresh = `${memory}.new`
    await storage.removeFiles([fresh])
    await storage.cloneFile(base, fresh)
    await storage.foldDelta(delta, fresh)
    await rename(fresh, memory)
  }
  // No change that anybody sees: the generation stays.
  const folded: RecordIn<'saved'> = { ...record, state: { ...record.state, memory: 'own', delta: false } }
  await storage.writeRecord(folder, folded)
  await storage.removeFiles([delta, base])
  return { record: folded, folder }
}
