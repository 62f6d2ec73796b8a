// The content-addressed cache of built artefacts. A recipe's inputs name its folder: when they have not changed, nothing
// is built. A folder appears whole (built beside, then renamed) or not at all, so an interrupted build leaves no trace
// that counts, and several platforms, or builds in one process, may run at once.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from './files.ts'
import { isAlive, processRef } from './processes.ts'
import { run } from './run.ts'

/** Bytes that an artefact is made from: texts, and files or folders read from disk. */
export type Inputs = { texts?: string[]; paths?: string[] }

/** Returns the folder that `build` filled for these inputs, now or earlier. */
export async function cached(
  cacheDir: string,
  name: string,
  inputs: Inputs,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheDir, `${name}-${await inputsHash(inputs)}`)
  if (await exists(folder)) return folder
  await mkdir(cacheDir, { recursive: true, mode: 0o755 })
  await removeAbandoned(cacheDir, name)
  const unfinished = join(cacheDir, unfinishedName(name))
  try {
    await mkdir(unfinished, { mode: 0o755 })
    await build(unfinished)
    // Or a power cut after the rename could leave a folder that counts, with empty files in it.
    await run('sync', ['--file-system', unfinished], { timeoutMs: 300_000 })
    await publish(unfinished, folder)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return folder
}

async function publish(unfinished: string, folder: string): Promise<void> {
  try {
    await rename(unfinished, folder)
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error // otherwise somebody else was quicker: its result is ours
  }
}

let builds = 0

/** Names the build's process, so that another one can tell whether it still goes on. */
function unfinishedName(name: string): string {
  return `.${name}.building.${process.pid}.${processRef(process.pid)?.startTime}.${builds++}`
}

async function removeAbandoned(cacheDir: string, name: string): Promise<void> {
  for (const entry of await readdir(cacheDir)) {
    const [, of, pid, startTime] = /^\.(.+)\.building\.(\d+)\.(\d+)\.\d+$/.exec(entry) ?? []
    if (of !== name || pid === undefined || startTime === undefined) continue
    if (isAlive({ pid: Number(pid), startTime })) continue
    await rm(join(cacheDir, entry), { recursive: true, force: true })
  }
}

export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex').slice(0, 16)
}

async function inputsHash(inputs: Inputs): Promise<string> {
  const hash = createHash('sha256')
  for (const text of inputs.texts ?? []) hash.update(`text ${text.length}\n${text}`)
  for (const path of inputs.paths ?? []) await hashTree(hash, path, '.')
  return hash.digest('hex').slice(0, 16)
}

async function hashTree(hash: ReturnType<typeof createHash>, path: string, label: string): Promise<void> {
  if ((await stat(path)).isDirectory()) {
    for (const name of (await readdir(path)).sort())
      await hashTree(hash, join(path, name), `${label}/${name}`)
    return
  }
  const content = await readFile(path)
  hash.update(`file ${label} ${content.length}\n`).update(content)
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/** For NODE_COMPILE_CACHE. Node keeps our sources there, stripped and compiled: a process starts with half the CPU time. */
export function compileCache(cacheDir: string): string {
  return join(cacheDir, 'node')
}
