// How busy a guest is, as it sees itself.
import { z } from 'zod'
import { readAnswer, refusal } from './answers.ts'
import type { Envd } from './envd.ts'

export interface GuestMetrics {
  at: Date
  cpuCount: number
  /** Of all CPUs together, 0 to 100. */
  cpuUsedPercent: number
  memoryTotalBytes: number
  memoryUsedBytes: number
  diskTotalBytes: number
  diskUsedBytes: number
}

const timeoutMs = 5_000
const bytes = z.int().nonnegative()

/** Field names of E2B's envd; `ts` is in seconds. */
const sample = z.object({
  ts: z.int(),
  cpu_count: z.int().positive(),
  cpu_used_pct: z.number(),
  mem_total: bytes,
  mem_used: bytes,
  disk_total: bytes,
  disk_used: bytes,
})

export async function readMetrics(envd: Envd, signal: AbortSignal): Promise<GuestMetrics> {
  const { status, stream } = await envd.send('GET', '/metrics', { timeoutMs, signal })
  if (status !== 200) throw await refusal(status, stream)
  const read = await readAnswer(stream, { answer: sample, timeoutMs })
  return {
    at: new Date(read.ts * 1_000),
    cpuCount: read.cpu_count,
    cpuUsedPercent: Math.min(100, Math.max(0, read.cpu_used_pct)),
    memoryTotalBytes: read.mem_total,
    memoryUsedBytes: read.mem_used,
    diskTotalBytes: read.disk_total,
    diskUsedBytes: read.disk_used,
  }
}
