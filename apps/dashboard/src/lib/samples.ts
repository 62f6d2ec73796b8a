// What was measured in the last minutes, and how it is drawn: a line for each stretch without a gap. Pure.

export interface Sample {
  /** Milliseconds since 1970, by this machine's clock: sandboxes may have another idea of the time. */
  atMs: number
  cpuPercent: number
  cpuCount: number
  memoryBytes: number
  memoryTotalBytes: number
  diskBytes: number
  diskTotalBytes: number
}

export const samplePeriodMs = 2_000
export const windowMs = 300_000
/** A slow answer is no gap; three that are missing are one. */
const longestStepMs = samplePeriodMs * 3.5

/** With the new one, without those that are too old to be shown. */
export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  return [...samples.filter(({ atMs }) => atMs > sample.atMs - windowMs), sample]
}

/** Where time and value are on a plane of 0 to 1, from the upper left. */
export interface Point {
  x: number
  y: number
}

export interface Scale {
  nowMs: number
  max: number
}

/** One list of points for each stretch in which nothing is missing; what is older than the window is left out. */
export function stretches(
  samples: readonly Sample[],
  valueOf: (sample: Sample) => number,
  { nowMs, max }: Scale,
): Point[][] {
  const lines: Point[][] = []
  let lastMs = -Infinity
  for (const sample of samples) {
    const x = 1 - (nowMs - sample.atMs) / windowMs
    if (x < 0) continue
    const y = 1 - Math.min(1, Math.max(0, max === 0 ? 0 : valueOf(sample) / max))
    if (sample.atMs - lastMs > longestStepMs) lines.push([])
    lines.at(-1)?.push({ x: Math.min(1, x), y })
    lastMs = sample.atMs
  }
  return lines
}

/** The sample that is nearest to `x` on that plane; undefined when none is near. */
export function sampleAt(samples: readonly Sample[], x: number, nowMs: number): Sample | undefined {
  const atMs = nowMs - (1 - x) * windowMs
  let nearest: Sample | undefined
  for (const sample of samples)
    if (!nearest || Math.abs(sample.atMs - atMs) < Math.abs(nearest.atMs - atMs)) nearest = sample
  return nearest && Math.abs(nearest.atMs - atMs) <= longestStepMs ? nearest : undefined
}

/** As rows of a table, newest first: the last sample of each `stepMs`. */
export function thinned(samples: readonly Sample[], stepMs: number): Sample[] {
  const bySlot = new Map(samples.map((sample) => [Math.floor(sample.atMs / stepMs), sample]))
  return [...bySlot.values()].toReversed()
}
