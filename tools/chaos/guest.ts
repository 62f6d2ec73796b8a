// What the workers do inside a sandbox: a word in memory, a process that must live on, a log and files on disk.
import type { PublicSchemas } from '@wrenn/contract'
import type { Client, Outcome } from './client.ts'
import type { Seen } from './model.ts'

type Exec = PublicSchemas['ExecResponse']

export const fileFolder = '/root/files'

/** Memory: /run is a tmpfs in the guest. */
export function begin(client: Client, id: string, word: string): Promise<Outcome<Exec>> {
  return shell(
    client,
    id,
    `set -e; mkdir -p ${fileFolder}; echo ${word} > /run/word; touch /root/log; sync
     sleep 1000000 > /dev/null 2>&1 & echo $! > /run/pid`,
  )
}

/** Another word, in a sandbox that was made from a snapshot. */
export function rename(client: Client, id: string, word: string): Promise<Outcome<Exec>> {
  return shell(client, id, `echo ${word} > /run/word`)
}

export function append(client: Client, id: string, line: string): Promise<Outcome<Exec>> {
  return shell(client, id, `echo ${line} >> /root/log && sync`)
}

/** Fails, with exit code 1, when the process is gone. */
export async function look(client: Client, id: string): Promise<Outcome<Exec> & { seen?: Seen }> {
  const outcome = await shell(
    client,
    id,
    `kill -0 $(cat /run/pid) && cat /run/word && sha256sum ${fileFolder}/* 2>/dev/null; echo --; cat /root/log`,
  )
  if (outcome.status !== 200 || outcome.body.exit_code !== 0) return outcome
  const [head = '', log = ''] = (outcome.body.stdout ?? '').split('--\n')
  const [word = '', ...sums] = head.trim().split('\n')
  const byPath = sums.map((line) => [line.slice(66), line.slice(0, 64)] as const)
  return { ...outcome, seen: { word, sums: new Map(byPath), lines: log.trim().split('\n').filter(Boolean) } }
}

/** Files that a transfer has begun and not ended, by envd's name for them. */
export async function temporaryFiles(client: Client, id: string): Promise<Outcome<Exec>> {
  return shell(client, id, 'find / -xdev -name ".envd-*" 2>/dev/null; true')
}

function shell(client: Client, id: string, line: string): Promise<Outcome<Exec>> {
  const body = { cmd: 'sh', args: ['-c', line], timeout_sec: 60 }
  return client.call('execCommand', { params: { id }, body })
}
