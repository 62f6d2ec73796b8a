// What the host agent keeps on disk about a sandbox. Its folder need not have the sandbox's name: a VM from the ready pool
// has its folder from before.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '@wrenn/base'

export interface AgentRecord {
  id: string
  token: string
  /** File name of its root filesystem. */
  rootfs: string
  vcpus: number
  memoryMib: number
  state: { kind: 'live'; process: { pid: number } } | { kind: 'saved'; number: number; delta: boolean }
}

/** Throws when the agent has no such sandbox. */
export async function agentRecord(
  dataFolder: string,
  id: string,
): Promise<{ folder: string; record: AgentRecord }> {
  const sandboxes = join(dataFolder, 'sandboxes')
  for (const name of await readdir(sandboxes)) {
    const folder = join(sandboxes, name)
    const record = await readRecord(folder)
    if (record?.id === id) return { folder, record }
  }
  throw new Error(`the host agent has no sandbox ${id}`)
}

/** Undefined for a VM that is no sandbox yet, and for a sandbox that has just ended. */
async function readRecord(folder: string): Promise<AgentRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')) as AgentRecord
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
