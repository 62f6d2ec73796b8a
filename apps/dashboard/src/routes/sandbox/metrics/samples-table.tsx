// The curves as numbers: for assistive technology, and for whoever wants to read them.
import { formatDateTime } from '../../../lib/format.ts'
import { thinned, type Sample } from '../../../lib/samples.ts'
import { Table, type Column } from '../../../ui/table.tsx'
import { allSeries } from './series.ts'

const stepMs = 10_000

const columns: readonly Column<Sample>[] = [
  { header: 'Time', isMain: true, cell: ({ atMs }) => formatDateTime(atMs) },
  ...allSeries.map(({ name, valueOf, format }) => ({
    header: name,
    isRight: true,
    cell: (sample: Sample) => format(valueOf(sample)),
  })),
]

export function SamplesTable({ samples }: { samples: readonly Sample[] }) {
  return (
    <details>
      <summary className="w-fit cursor-pointer rounded-sm text-muted hover:text-ink">As a table</summary>
      <div className="mt-2">
        <Table
          label="Samples, one for each 10 seconds"
          columns={columns}
          rows={thinned(samples, stepMs)}
          rowKey={({ atMs }) => String(atMs)}
        />
      </div>
    </details>
  )
}
