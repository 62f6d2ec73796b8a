// GET /v1/sandboxes/{id} with 32 connections, beside a bare Fastify route that answers the same bytes from one prepared
// query (bare-route.ts): a process like the control plane, on the same Postgres. Both are loaded in turns, by autocannon
// in this process. Their CPU time for each request is told too: on a machine that does other things it says more.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { embeddedUrl } from '../../apps/launcher/src/postgres/cluster.ts'
import { inOneSandbox, type Bench } from './client.ts'
import { send } from './http.ts'
import { percentile } from './statistics.ts'

const connections = 32
const turns = 5
const turnSec = 4
/** As the launcher runs the control plane. */
const nodeOptions = ['--max-semi-space-size=8']

export async function requestsPerSecond(bench: Bench): Promise<string[]> {
  const floor = await startFloor(embeddedUrl(join(bench.platform.folder, 'postgres')))
  try {
    return await inOneSandbox(bench, ({ id }) => compare(bench, id, floor))
  } finally {
    floor.process.kill('SIGKILL')
  }
}

interface Rate {
  perSecond: number
  cpuMicros: number
}

async function compare(
  { user, platform }: Bench,
  id: string,
  floor: { url: string; process: ChildProcess },
): Promise<string[]> {
  const headers = { 'x-api-key': user.key }
  const { pid } = await platform.process('control-plane')
  const targets = {
    floor: { url: `${floor.url}/v1/sandboxes/${id}`, headers, pid: floor.process.pid },
    ours: { url: `${user.url}/v1/sandboxes/${id}`, headers, pid },
  }
  const fetched = { method: 'GET', headers, expect: 200 }
  const [bare, ours] = [await send(targets.floor.url, fetched), await send(targets.ours.url, fetched)]
  if (!bare.equals(ours)) throw new Error(`the answers differ:\n${bare.toString()}\n${ours.toString()}`)
  const rates = { floor: [] as Rate[], ours: [] as Rate[] }
  // The first turn warms both up and does not count.
  for (let turn = -1; turn < turns; turn += 1)
    for (const name of ['floor', 'ours'] as const) {
      const rate = await load(targets[name])
      if (turn >= 0) rates[name].push(rate)
    }
  const figures = (of: Rate[]): { perSecond: number; cpuMicros: number; all: string } => {
    const perSecond = of.map((rate) => rate.perSecond)
    return {
      perSecond: percentile(perSecond, 0.5),
      cpuMicros: percentile(
        of.map((rate) => rate.cpuMicros),
        0.5,
      ),
      all: perSecond.map((each) => each.toFixed(0)).join(' '),
    }
  }
  const [bareFigures, ourFigures] = [figures(rates.floor), figures(rates.ours)]
  const line = (of: typeof ourFigures): string =>
    `p50 ${of.perSecond.toFixed(0)} (${of.all}), ${of.cpuMicros.toFixed(0)} µs of CPU each`
  return [
    `GET /v1/sandboxes/{id}, ${connections} connections, requests/s in ${turns} turns of ${turnSec} s:`,
    `  floor ${line(bareFigures)}`,
    `  ours  ${line(ourFigures)}`,
    `  ratio ${(ourFigures.perSecond / bareFigures.perSecond).toFixed(2)}, promise ≥ 0.6; of CPU time ${(bareFigures.cpuMicros / ourFigures.cpuMicros).toFixed(2)}`,
  ]
}

interface Target {
  url: string
  headers: Record<string, string>
  pid: number | undefined
}

/** Of requests that were all answered with 200. */
async function load({ pid, ...target }: Target): Promise<Rate> {
  const before = await cpuMs(pid)
  const result = await autocannon({ ...target, connections, duration: turnSec })
  const answered = result['2xx']
  if (answered === 0 || result.non2xx > 0 || result.errors > 0)
    throw new Error(`${target.url}: ${answered} answers, ${result.non2xx} refusals, ${result.errors} errors`)
  return {
    perSecond: answered / result.duration,
    cpuMicros: (((await cpuMs(pid)) - before) * 1_000) / answered,
  }
}

/** utime and stime of proc_pid_stat(5), in clock ticks of 10 ms. */
async function cpuMs(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function startFloor(databaseUrl: string): Promise<{ url: string; process: ChildProcess }> {
  const process_ = spawn(process.execPath, [...nodeOptions, join(import.meta.dirname, 'bare-route.ts')], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await Promise.race([
    once(process_.stdout, 'data'),
    once(process_, 'exit').then(([code]) => {
      throw new Error(`the bare route ended with ${code}`)
    }),
  ])) as [Buffer]
  return { url: line.toString().trim(), process: process_ }
}
