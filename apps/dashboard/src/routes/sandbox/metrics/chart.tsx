// One curve of the last five minutes. The drawing is stretched to its place, so it has no text in it: axes and values
// stand around it. Pointing at it tells the value there; the table below the charts has the same for everybody.
import { useState, type PointerEvent } from 'react'
import { formatDateTime } from '../../../lib/format.ts'
import { sampleAt, stretches, windowMs, type Point, type Sample } from '../../../lib/samples.ts'
import { summary, type Series } from './series.ts'

export interface ChartProps {
  series: Series
  samples: readonly Sample[]
  /** Where the right edge is. Milliseconds since 1970. */
  nowMs: number
}

export function Chart({ series, samples, nowMs }: ChartProps) {
  const [pointedX, setPointedX] = useState<number>()
  const last = samples.at(-1)
  const max = last ? series.maxOf(last) : 0
  const lines = stretches(samples, series.valueOf, { nowMs, max })
  const pointed = pointedX === undefined ? undefined : sampleAt(samples, pointedX, nowMs)
  const point = (event: PointerEvent<HTMLElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    setPointedX((event.clientX - left) / width)
  }
  return (
    <section className="min-w-0 rounded-lg border border-line bg-surface p-4">
      <header className="flex flex-wrap items-baseline justify-between gap-x-3">
        <h2 className="font-medium">{series.name}</h2>
        <ChartValue series={series} sample={pointed ?? last} isPast={pointed !== undefined} />
      </header>
      <div className="mt-3 flex gap-2">
        <div
          className="relative h-36 min-w-0 flex-1"
          onPointerMove={point}
          onPointerLeave={() => setPointedX(undefined)}
        >
          <svg
            role="img"
            aria-label={summary(series, samples)}
            viewBox="0 0 1000 1000"
            preserveAspectRatio="none"
            className="absolute inset-0 size-full overflow-visible"
          >
            {[0, 500, 1000].map((y) => (
              <path key={y} d={`M0 ${y}H1000`} className="stroke-line" vectorEffect="non-scaling-stroke" />
            ))}
            {lines.map((line) => (
              <Stretch key={line[0]?.x} line={line} />
            ))}
          </svg>
          {pointed && (
            <span
              aria-hidden
              className="absolute inset-y-0 w-px bg-control"
              style={{ left: `${(1 - (nowMs - pointed.atMs) / windowMs) * 100}%` }}
            />
          )}
        </div>
        <Axis max={max} series={series} />
      </div>
      <div aria-hidden className="mt-1.5 flex justify-between pr-18 text-xs text-muted">
        <span>5 min ago</span>
        <span>2 min 30 s</span>
        <span>now</span>
      </div>
    </section>
  )
}

interface ChartValueProps {
  series: Series
  sample: Sample | undefined
  isPast: boolean
}

function ChartValue({ series, sample, isPast }: ChartValueProps) {
  if (!sample) return <p className="text-lg text-muted">–</p>
  return (
    <p className="text-xs text-muted">
      {isPast && `${formatDateTime(sample.atMs)}: `}
      <span className="text-lg font-semibold text-ink">{series.format(series.valueOf(sample))}</span>{' '}
      {series.total(sample)}
    </p>
  )
}

function Axis({ max, series }: { max: number; series: Series }) {
  const label = (value: number): string => (max === 0 ? '' : series.format(value))
  return (
    <div aria-hidden className="-my-2 flex w-16 shrink-0 flex-col justify-between text-xs text-muted">
      <span>{label(max)}</span>
      <span>{label(max / 2)}</span>
      <span>{label(0)}</span>
    </div>
  )
}

/** A single sample is a dot: a line of no length with round ends. */
function Stretch({ line }: { line: readonly Point[] }) {
  const [first] = line
  const end = line.at(-1)
  if (!first || !end) return null
  const at = ({ x, y }: Point): string => `${(x * 1000).toFixed(1)} ${(y * 1000).toFixed(1)}`
  const path = line.length === 1 ? `M${at(first)}h0.01` : `M${line.map(at).join('L')}`
  return (
    <>
      {line.length > 1 && (
        <path
          d={`${path}V1000H${(first.x * 1000).toFixed(1)}Z`}
          className="fill-accent opacity-10"
          stroke="none"
        />
      )}
      <path
        d={path}
        fill="none"
        className="stroke-accent"
        strokeWidth={line.length === 1 ? 4 : 1.5}
        strokeLinecap="round"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </>
  )
}
