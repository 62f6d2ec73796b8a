// What a new agent process finds on the machine: living VMs are taken over by their state files, and whatever else
// carries this instance's name (VMs, cgroups, folders, namespaces) belongs to nobody and is removed.
import { mkdir, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AppError, endProcess } from '@wrenn/base'
import type { Parts } from './parts.ts'
import { readRecord, type SandboxRecord } from './record.ts'
import type { LiveSandbox } from './sandbox.ts'

/** Returns the sandboxes whose VMs run on. Whatever is not theirs is gone afterwards. */
export async function recover(parts: Parts): Promise<LiveSandbox[]> {
  const { sandboxes, goldens } = parts.folders
  await mkdir(sandboxes, { recursive: true, mode: 0o711 })
  const adopted = await adoptAll(parts)
  const keep = new Set(adopted.map(({ folder }) => folder))
  const removed: string[] = []
  for (const root of [sandboxes, goldens]) {
    for (const { process, folder } of await parts.driver.list(root)) {
      if (keep.has(folder)) continue
      await endProcess(process, 0)
      removed.push(`vm ${basename(folder)}`)
    }
  }
  const ids = new Set<string>(adopted.map(({ record }) => record.id))
  for (const name of await parts.cgroups.list()) if (!ids.has(name)) await parts.cgroups.remove(name)
  for (const name of await readdir(sandboxes)) {
    if (keep.has(join(sandboxes, name))) continue
    await parts.storage.removeFolder(join(sandboxes, name))
    removed.push(`folder ${name}`)
  }
  removed.push(...(await parts.network.sweep()).map((name) => `netns ${name}`))
  parts.log.info({ op: 'recover', outcome: 'ok', adopted: adopted.length, removed })
  return adopted
}

async function adoptAll(parts: Parts): Promise<LiveSandbox[]> {
  const { sandboxes } = parts.folders
  const found = await Promise.all(
    (await readdir(sandboxes)).map(async (name) => {
      const folder = join(sandboxes, name)
      const record = await readRecord(folder)
      return (
        record && adopt(parts, folder, record).catch((error: unknown) => notAdopted(parts, record, error))
      )
    }),
  )
  return found.filter((live) => live !== undefined)
}

/** One that cannot be taken over must not keep the agent from the others: it is removed like what nobody owns. */
function notAdopted(parts: Parts, { id }: SandboxRecord, err: unknown): undefined {
  parts.log.error({ op: 'sandbox.adopt', outcome: 'failed', sandboxId: id, err })
}

async function adopt(parts: Parts, folder: string, record: SandboxRecord): Promise<LiveSandbox | undefined> {
  const vm = await parts.driver.adopt(record.process, folder)
  if (!vm) return undefined
  const slot = await parts.network.adopt(record.slot)
  const envd = parts.connectGuest(slot.hostIp, record.token)
  void vm.exited.then(() => envd.close(new AppError('agent_error', "the sandbox's VM has ended")))
  return { record, folder, slot, vm, envd }
}
