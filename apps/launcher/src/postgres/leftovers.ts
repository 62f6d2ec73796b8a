// What a killed Postgres leaves behind: a postmaster that lives on without its launcher, backends that outlive their
// postmaster for a moment (a new one cannot start before they are gone), pid files whose pid is someone else's by now.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  DeadlineError,
  endProcess,
  isErrno,
  pollUntil,
  processRef,
  readFileIfThere,
  signalProcess,
  type ProcessRef,
} from '@wrenn/base'

const FAST_SHUTDOWN_MS = 10_000
const ORPHAN_GRACE_MS = 2_000

/** Ends every process of the cluster in this data folder, the postmaster in order, and returns when all are gone. */
export async function endClusterProcesses(dataFolder: string): Promise<void> {
  const processes = clusterProcesses(dataFolder)
  if (processes.length === 0) return
  const postmasterPid = parsePid(await readFileIfThere(join(dataFolder, 'postmaster.pid')))
  const postmaster = processes.find((ref) => ref.pid === postmasterPid)
  if (postmaster) signalProcess(postmaster, 'SIGINT')
  try {
    // Without a postmaster the backends notice that and end by themselves.
    await pollUntil(
      `Postgres in ${dataFolder} ends`,
      () => (clusterProcesses(dataFolder).length === 0 ? true : undefined),
      { timeoutMs: postmaster ? FAST_SHUTDOWN_MS : ORPHAN_GRACE_MS },
    )
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
    for (const ref of clusterProcesses(dataFolder)) await endProcess(ref, 0)
  }
}

/**
 * Every process of a cluster has its data folder as working folder (postmaster.c: ChangeToDataDir), whoever started it.
 */
export function clusterProcesses(dataFolder: string): ProcessRef[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readLink(`/proc/${pid}/cwd`) === dataFolder && commandName(pid) === 'postgres')
    .map(processRef)
    .filter((ref) => ref !== undefined)
}

/**
 * Removes pid files. Call it when no process of the cluster is left: then a pid in them is another process's by now, or
 * that of a killed postmaster which nobody has reaped yet, and Postgres would take either for a running server.
 */
export async function removeStalePidFiles(paths: string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true })
}

/** The first line is the pid, negative for a single-user server. */
function parsePid(pidFile: string | undefined): number | undefined {
  const pid = Math.abs(Number.parseInt(pidFile ?? '', 10))
  return Number.isNaN(pid) ? undefined : pid
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined
    throw error
  }
}

function commandName(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}
