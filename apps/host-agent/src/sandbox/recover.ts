// What a new agent process finds on the machine. Living VMs are taken over by their state files; a sandbox that ran and
// has no VM any more keeps its disk and can be booted; what was paused is as it was. Whatever else carries this
// instance's name (VMs, cgroups, folders, namespaces) belongs to nobody and is removed.
import { access, mkdir, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { AppError, endProcess, errorText, type SandboxId } from '@wrenn/base'
import { forgetRootfs, rootfsName } from '../storage/rootfs.ts'
import type { Parts } from './parts.ts'
import { continueGuest } from './pause.ts'
import {
  changed,
  filesOf,
  isIn,
  readRecord,
  strangeRecord,
  type RecordIn,
  type SandboxRecord,
} from './record.ts'
import { giveUpMemory } from './resume.ts'
import { connect, releaseVm, type LiveSandbox, type StoredSandbox } from './sandbox.ts'
import type { Snapshots } from './snapshots.ts'

export interface Recovered {
  live: LiveSandbox[]
  stored: StoredSandbox[]
  /** What the operator should know: files that this version cannot read. */
  warnings: string[]
}

/** Returns the sandboxes of this host. Whatever is not theirs is gone afterwards. */
export async function recover(parts: Parts, snapshots: Snapshots): Promise<Recovered> {
  const { sandboxes, goldens } = parts.folders
  await mkdir(sandboxes, { recursive: true, mode: 0o711 })
  const records = await readRecords(parts, snapshots)
  const live = await adoptAll(parts, records)
  const unreadable = [...records].flatMap(([folder, record]) => (record === 'unreadable' ? [folder] : []))
  const alive = new Set([...live.map(({ folder }) => folder), ...unreadable])
  const removed: string[] = []
  for (const root of [sandboxes, goldens]) {
    for (const { process, folder } of await parts.driver.list(root)) {
      if (alive.has(folder)) continue
      await endProcess(process, 0)
      removed.push(`vm ${basename(folder)}`)
    }
  }
  const groups = new Set([...alive].map((folder) => basename(folder)))
  for (const name of await parts.cgroups.list()) if (!groups.has(name)) await parts.cgroups.remove(name)
  for (const name of await readdir(sandboxes)) {
    const folder = join(sandboxes, name)
    if (records.has(folder)) continue
    await parts.storage.removeFolder(folder)
    removed.push(`folder ${name}`)
  }
  removed.push(...(await parts.network.sweep()).map((name) => `netns ${name}`))
  const stored: StoredSandbox[] = []
  for (const [folder, record] of records) {
    if (record === 'unreadable' || alive.has(folder)) continue
    const settled = await settle(parts, { folder, record }).catch((error: unknown) =>
      notAdopted(parts, record.id, error),
    )
    if (settled) stored.push(settled)
  }
  const strange = [...unreadable, ...snapshots.unreadable]
  if (strange.length === 0) await forgetUnusedRootfs(parts, snapshots, [...live, ...stored])
  for (const folder of unreadable) {
    const record = await strangeRecord(folder)
    if (record) stored.push({ record, folder })
  }
  parts.log.info({ op: 'recover', outcome: 'ok', adopted: live.length, stored: stored.length, removed })
  const warnings = strange.map(
    (folder) =>
      `this version cannot read ${relative(dirname(sandboxes), folder)} in the data folder; it is kept as it is`,
  )
  return { live, stored, warnings }
}

type Records = Map<string, SandboxRecord | 'unreadable'>

/** By folder. A snapshot that was finished leaves nothing of its sandbox. */
async function readRecords(parts: Parts, snapshots: Snapshots): Promise<Records> {
  const records: Records = new Map()
  for (const name of await readdir(parts.folders.sandboxes)) {
    const folder = join(parts.folders.sandboxes, name)
    try {
      const record = await readRecord(folder)
      if (record && !becameSnapshot(record, snapshots)) records.set(folder, record)
    } catch (error) {
      // Never deleted: a newer version may have written it.
      records.set(folder, 'unreadable')
      parts.log.error({ op: 'recover', outcome: 'state file not readable', folder, reason: errorText(error) })
    }
  }
  return records
}

function becameSnapshot(record: SandboxRecord, snapshots: Snapshots): boolean {
  const key = isIn(record, 'saved') ? record.state.snapshot : undefined
  return key !== undefined && snapshots.has(key)
}

async function adoptAll(parts: Parts, records: Records): Promise<LiveSandbox[]> {
  const found = await Promise.all(
    [...records].map(async ([folder, record]) =>
      record !== 'unreadable' && isIn(record, 'live')
        ? adopt(parts, folder, record).catch((error: unknown) => notAdopted(parts, record.id, error))
        : undefined,
    ),
  )
  return found.filter((live) => live !== undefined)
}

/** One that cannot be taken over must not keep the agent from the others: its VM is ended, its disk stays. */
function notAdopted(parts: Parts, sandboxId: SandboxId, err: unknown): undefined {
  parts.log.error({ op: 'sandbox.adopt', outcome: 'failed', sandboxId, err })
}

async function adopt(
  parts: Parts,
  folder: string,
  record: RecordIn<'live'>,
): Promise<LiveSandbox | undefined> {
  const vm = await parts.driver.adopt(record.state.process, folder)
  if (!vm) return undefined
  const slot = await parts.network.adopt(record.state.slot)
  const live = { record, folder, slot, vm, envd: connect(parts, vm, slot, record.token) }
  try {
    // The last agent may have died in the middle of a pause.
    await continueGuest(parts, live)
    await tidy(folder, record)
    return live
  } catch (error) {
    // Its slot is in use since it was adopted: no sweep would take it away.
    live.envd.close(new AppError('agent_error', 'the sandbox could not be taken over'))
    await releaseVm(parts, live)
    throw error
  }
}

/** A sandbox without a VM, as it stands on disk from now on. */
async function settle(parts: Parts, stored: StoredSandbox): Promise<StoredSandbox> {
  const { folder } = stored
  let { record } = stored
  await parts.storage.takeBack(folder)
  if (isIn(record, 'live')) {
    const reason = 'its VM ended while no host agent ran, as when the machine goes down'
    record = (await giveUpMemory(parts, stored, reason)).record
  } else if (isIn(record, 'saved') && !(await isComplete(folder, record))) {
    record = changed(record, { kind: 'failed', reason: 'files of its last pause are missing' })
    await parts.storage.writeRecord(folder, record)
  }
  await tidy(folder, record)
  return { record, folder }
}

/** Removes what an operation that was broken off has left. */
async function tidy(folder: string, record: SandboxRecord): Promise<void> {
  const known = new Set(filesOf(folder, record))
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (!known.has(path)) await rm(path, { recursive: true, force: true })
  }
}

async function isComplete(folder: string, record: SandboxRecord): Promise<boolean> {
  // The log is no part of it.
  const needed = filesOf(folder, record).filter((path) => !path.endsWith('.log'))
  const found = await Promise.allSettled(needed.map((path) => access(path)))
  return found.every(({ status }) => status === 'fulfilled')
}

async function forgetUnusedRootfs(
  parts: Parts,
  snapshots: Snapshots,
  sandboxes: StoredSandbox[],
): Promise<void> {
  const used = new Set([
    ...Object.values(parts.images.templates).map(({ hash }) => rootfsName(hash)),
    ...snapshots.list().map(({ template }) => basename(template.machine.rootfs)),
    ...sandboxes.map(({ record }) => record.rootfs),
  ])
  await forgetRootfs(parts.folders.rootfs, used)
}
