// What a platform owns on the machine, by its instance id and data folder: to prove that nothing of it is left.
import { readdir, readFile } from 'node:fs/promises'
import { isErrno, run } from '@wrenn/base'

/** Processes, namespaces, interfaces, nftables tables, mounts and claims of this instance. Empty when all is gone. */
export async function leftovers(instance: string, folder: string): Promise<string[]> {
  const [netns, links, tables, mounts] = await Promise.all([
    run('ip', ['netns', 'list']),
    run('ip', ['-o', 'link']),
    run('nft', ['list', 'tables']),
    readFile('/proc/self/mounts', 'utf8'),
  ])
  return [
    ...matching('netns', netns.stdout, `wrenn-${instance}-`),
    ...matching('interface', links.stdout, `w${instance}-`),
    ...matching('table', tables.stdout, `wrenn_${instance}`),
    ...matching('mount', mounts, folder),
    ...(await processesOf(folder)).map((line) => `process ${line}`),
    ...(await claimsOf(folder)).map((block) => `claim ${block}`),
  ]
}

/** Command lines that name the folder. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    const command = (await readIfThere(`/proc/${pid}/cmdline`)).replaceAll('\0', ' ')
    if (command.includes(folder)) found.push(`${pid} ${command.slice(0, 200)}`)
  }
  return found
}

async function claimsOf(folder: string): Promise<string[]> {
  const claims = '/run/wrenn/blocks'
  const names = await readdir(claims).catch(() => [] as string[])
  const owners = await Promise.all(names.map((name) => readIfThere(`${claims}/${name}`)))
  return names.filter((_name, index) => owners[index]?.endsWith(` ${folder}`))
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return ''
    throw error
  }
}

function matching(kind: string, text: string, part: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.includes(part))
    .map((line) => `${kind} ${line.trim()}`)
}
