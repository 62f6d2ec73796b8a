// Everything on the machine that carries this platform's name, and who owns it: VM processes, user ids, namespaces,
// interfaces, nftables tables; the data folder is in ./stray-files.ts. What nobody owns is a leak.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, readFileIfThere, run } from '@wrenn/base'
import { readConfig } from '../../apps/host-agent/src/config.ts'
import { slotsPerBlock } from '../../apps/host-agent/src/network/addresses.ts'
import { interfacePrefix, listNetns, netnsPrefix } from '../../apps/host-agent/src/network/slot.ts'
import { readRecord, type SandboxRecord } from '../../apps/host-agent/src/sandbox/record.ts'
import { layout } from '../../apps/host-agent/src/storage/layout.ts'
import { qemuProcesses } from '../../apps/host-agent/src/vmm/qemu/process.ts'
import type { Insight } from './agreement.ts'
import { strayFiles } from './stray-files.ts'

/** As the host agent's claims: a file for each block of addresses and user ids. */
const claims = '/run/wrenn/blocks'
const firstUid = 0x70000000

export interface Home {
  folder: string
  record: SandboxRecord | undefined
}

export interface Vm {
  folder: string
  pid: number
  uid: number
}

/** One line for each thing without an owner, and for each owner without what it should have. */
export async function strays(
  { folder, instance }: { folder: string; instance: string },
  { agent }: Insight,
): Promise<string[]> {
  const [sandboxes, snapshots, health] = await Promise.all([
    agent.listSandboxes(),
    agent.listSnapshots(),
    agent.health(),
  ])
  const root = layout(folder).sandboxes
  const [vms, homes] = await Promise.all([vmsOf(root), homesOf(root)])
  const isRunning = new Map(sandboxes.map(({ id, status }) => [id, status === 'running']))
  const ready = health.capacity.pool_ready
  const running = [...isRunning.values()].filter(Boolean).length
  return [
    ...sandboxes
      .filter(({ id }) => !homes.some(({ record }) => record?.id === id))
      .map(({ id }) => `no folder of ${id}`),
    ...homes.flatMap((home) => homeProblems(home, { vms, isRunning })),
    ...(vms.length === running + ready
      ? []
      : [`${vms.length} VMs for ${running} sandboxes and ${ready} ready ones`]),
    ...(await strayUids(folder, vms)),
    ...(await strayNetworks(folder, instance, vms.length)),
    ...(await strayFiles(folder, { vms, homes, snapshots: new Set(snapshots.map(({ key }) => key)) })),
  ]
}

/** One that has no state file is a VM of the pool. A sandbox that was made from the pool keeps its folder's name. */
async function homesOf(root: string): Promise<Home[]> {
  const folders = (await readdir(root)).map((name) => join(root, name))
  return await Promise.all(folders.map(async (folder) => ({ folder, record: await readRecord(folder) })))
}

function homeProblems(
  { folder, record }: Home,
  { vms, isRunning }: { vms: Vm[]; isRunning: ReadonlyMap<string, boolean> },
): string[] {
  const hasVm = vms.some((vm) => vm.folder === folder)
  if (!record) return hasVm ? [] : [`nobody's folder ${folder}`]
  if (isRunning.get(record.id) === hasVm) return []
  return [
    `${folder} of ${record.id} has ${hasVm ? 'a' : 'no'} VM; runs: ${isRunning.get(record.id) ?? 'unknown'}`,
  ]
}

async function vmsOf(root: string): Promise<Vm[]> {
  const found = await qemuProcesses(root)
  return await Promise.all(
    found.map(async ({ process: { pid }, folder }) => ({ folder, pid, uid: await uidOf(pid) })),
  )
}

/** proc_pid_status(5): the real user id. -1 when the process has ended. */
async function uidOf(pid: number): Promise<number> {
  try {
    return Number(/^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return -1
    throw error
  }
}

/** Each VM has a user id of its own, and no other process has one of this platform's. */
async function strayUids(folder: string, vms: Vm[]): Promise<string[]> {
  const names = await readdir(claims)
  const owners = await Promise.all(names.map((name) => readFileIfThere(join(claims, name))))
  const blocks = names.filter((_name, index) => owners[index]?.endsWith(` ${folder}`)).map(Number)
  const first = firstUid + (blocks[0] ?? 0) * slotsPerBlock
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const strange = await Promise.all(
    pids.map(async (pid) => {
      const uid = await uidOf(pid)
      const isOurs = uid >= first && uid < first + slotsPerBlock
      return isOurs && !vms.some((vm) => vm.pid === pid) ? [`process ${pid} of uid ${uid}`] : []
    }),
  )
  return [
    ...(blocks.length === 1 ? [] : [`claims: ${blocks.join()}`]),
    ...(new Set(vms.map(({ uid }) => uid)).size === vms.length ? [] : ['two VMs with one uid']),
    ...strange.flat(),
  ]
}

/** One namespace with one interface for each VM, and those that are ready for the next. */
async function strayNetworks(folder: string, instance: string, vms: number): Promise<string[]> {
  const [{ readySlots }, nets, links, tables] = await Promise.all([
    readConfig({ WRENN_DIR: folder }),
    listNetns(),
    run('ip', ['-o', 'link']),
    run('nft', ['list', 'tables']),
  ])
  const indexes = (names: string[], prefix: string): string =>
    names
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length))
      .toSorted()
      .join()
  const slots = indexes(nets, netnsPrefix(instance))
  const names = links.stdout.split('\n').map((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? '')
  const interfaces = indexes(names, interfacePrefix(instance))
  const count = slots === '' ? 0 : slots.split(',').length
  const tableCount = tables.stdout.split('\n').filter((line) => line.includes(`wrenn_${instance}`)).length
  return [
    ...(count === vms + readySlots ? [] : [`${count} namespaces for ${vms} VMs, ${readySlots} ready`]),
    ...(slots === interfaces ? [] : [`namespaces ${slots}, interfaces ${interfaces}`]),
    ...(tableCount === 1 ? [] : [`${tableCount} nftables tables`]),
  ]
}
