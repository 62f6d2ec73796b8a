// Figures of repeated runs, and the lines that show ours beside the floor.

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export interface Comparison {
  what: string
  floor: readonly number[]
  ours: readonly number[]
  promise: string
}

export function comparisonLines(comparisons: readonly Comparison[]): string[] {
  const header = ['', 'runs', 'floor p50', 'p95', 'ours p50', 'p95', 'ratio', 'over', 'promise']
  const rows = comparisons.map(({ what, floor, ours, promise }) => {
    const [floorP50, oursP50] = [percentile(floor, 0.5), percentile(ours, 0.5)]
    const times = [floorP50, percentile(floor, 0.95), oursP50, percentile(ours, 0.95)].map((ms) =>
      ms.toFixed(1),
    )
    return [
      what,
      String(ours.length),
      ...times,
      (oursP50 / floorP50).toFixed(2),
      (oursP50 - floorP50).toFixed(1),
      promise,
    ]
  })
  const table = [header, ...rows]
  const widths = header.map((_cell, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const last = header.length - 1
  return table.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 || column === last ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
