// Saved memory on disk, by hostkit: the pages that a VM has written go into a delta while the caller waits; later the
// delta is folded into the memory file. Folding may run twice: a crash in the middle costs nothing.
import { MIB, run } from '@wrenn/base'

/** Writes the pages that differ from what the VM mapped, durably. The vcpus stand meanwhile. */
export async function saveDirtyPages(
  hostkit: string,
  { pid, memoryMib, target }: { pid: number; memoryMib: number; target: string },
): Promise<void> {
  const size = String(memoryMib * MIB)
  await run(hostkit, ['dirty', '-pid', String(pid), '-size', size, '-out', target])
}

/** Applies a delta to a memory file in place, durably. Refuses one that is torn before it changes anything. */
export async function foldDelta(hostkit: string, delta: string, memory: string): Promise<void> {
  await run(hostkit, ['fold', '-delta', delta, '-memory', memory])
}

/** A sparse copy, by reflink where the filesystem can. */
export async function cloneFile(hostkit: string, source: string, target: string): Promise<void> {
  await run(hostkit, ['clone', '-sync', source, target])
}
