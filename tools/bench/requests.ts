// GET /v1/sandboxes/{id} with 32 connections, beside a bare Fastify route that answers the same bytes from one prepared
// query (bare-route.ts): a process like the control plane, on the same Postgres. Both are loaded in turns, by autocannon
// in this process.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
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
    return await inOneSandbox(bench, ({ id }) => compare(bench, { id, floorUrl: floor.url }))
  } finally {
    floor.process.kill('SIGKILL')
  }
}

async function compare(
  { user }: Bench,
  { id, floorUrl }: { id: string; floorUrl: string },
): Promise<string[]> {
  const headers = { 'x-api-key': user.key }
  const targets = {
    floor: { url: `${floorUrl}/v1/sandboxes/${id}`, headers },
    ours: { url: `${user.url}/v1/sandboxes/${id}`, headers },
  }
  const fetched = { method: 'GET', headers, expect: 200 }
  const [bare, ours] = [await send(targets.floor.url, fetched), await send(targets.ours.url, fetched)]
  if (!bare.equals(ours)) throw new Error(`the answers differ:\n${bare.toString()}\n${ours.toString()}`)
  const rates = { floor: [] as number[], ours: [] as number[] }
  // The first turn warms both up and does not count.
  for (let turn = -1; turn < turns; turn += 1)
    for (const name of ['floor', 'ours'] as const) {
      const rate = await load(targets[name])
      if (turn >= 0) rates[name].push(rate)
    }
  const [floorRate, oursRate] = [percentile(rates.floor, 0.5), percentile(rates.ours, 0.5)]
  const each = (values: number[]): string => values.map((rate) => rate.toFixed(0)).join(' ')
  return [
    `GET /v1/sandboxes/{id}, ${connections} connections, requests/s in ${turns} turns of ${turnSec} s:`,
    `  floor p50 ${floorRate.toFixed(0)} (${each(rates.floor)})`,
    `  ours  p50 ${oursRate.toFixed(0)} (${each(rates.ours)}), ratio ${(oursRate / floorRate).toFixed(2)}, promise ≥ 0.6`,
  ]
}

/** Requests per second, all of which were answered with 200. */
async function load(target: { url: string; headers: Record<string, string> }): Promise<number> {
  const result = await autocannon({ ...target, connections, duration: turnSec })
  const answered = result['2xx']
  if (answered === 0 || result.non2xx > 0 || result.errors > 0)
    throw new Error(`${target.url}: ${answered} answers, ${result.non2xx} refusals, ${result.errors} errors`)
  return answered / result.duration
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
