// The three curves: what each shows, of how much, in which words.
import { formatBytes } from '../../../lib/format.ts'
import type { Sample } from '../../../lib/samples.ts'

export interface Series {
  name: string
  valueOf: (sample: Sample) => number
  /** The upper end of the axis. */
  maxOf: (sample: Sample) => number
  format: (value: number) => string
  /** Of what: "of 2 vCPUs". */
  total: (sample: Sample) => string
}

const percent = (value: number): string =>
  `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`

export const allSeries = [
  {
    name: 'CPU',
    valueOf: ({ cpuPercent }) => cpuPercent,
    maxOf: () => 100,
    format: percent,
    total: ({ cpuCount }) => `of ${cpuCount} ${cpuCount === 1 ? 'vCPU' : 'vCPUs'}`,
  },
  {
    name: 'Memory',
    valueOf: ({ memoryBytes }) => memoryBytes,
    maxOf: ({ memoryTotalBytes }) => memoryTotalBytes,
    format: formatBytes,
    total: ({ memoryTotalBytes }) => `of ${formatBytes(memoryTotalBytes)}`,
  },
  {
    name: 'Disk',
    valueOf: ({ diskBytes }) => diskBytes,
    maxOf: ({ diskTotalBytes }) => diskTotalBytes,
    format: formatBytes,
    total: ({ diskTotalBytes }) => `of ${formatBytes(diskTotalBytes)}`,
  },
] as const satisfies readonly Series[]

/** For whoever does not see the curve. */
export function summary({ name, valueOf, format }: Series, samples: readonly Sample[]): string {
  const last = samples.at(-1)
  if (!last) return `${name}: nothing was measured in the last 5 minutes`
  const values = samples.map(valueOf)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return `${name} in the last 5 minutes: ${format(valueOf(last))} at last, between ${format(least)} and ${format(most)}`
}
