// CPU, memory and disk of a sandbox, live: three curves of the last five minutes, and the same as a table.
import { useQuery } from '@tanstack/react-query'
import { samplePeriodMs, windowMs } from '../../lib/samples.ts'
import { useWrenn } from '../../session/client.ts'
import { CopyAsCurl } from '../../ui/copy-as-curl.tsx'
import { InlineError } from '../../ui/error-state.tsx'
import { useNow } from '../../ui/time.tsx'
import { Chart } from './metrics/chart.tsx'
import { SamplesTable } from './metrics/samples-table.tsx'
import { samplesQuery } from './metrics/samples-query.ts'
import { allSeries } from './metrics/series.ts'
import { NotRunning } from './not-running.tsx'
import { useSandbox } from './use-sandbox.ts'

export function MetricsTab() {
  const sandbox = useSandbox()
  const { id, status } = sandbox
  const isRunning = status === 'running'
  const { data, error } = useQuery(samplesQuery(useWrenn(), id, isRunning))
  // The curves go on to the left, also when nothing is measured.
  const nowMs = useNow((ms) => Math.floor(ms / 1_000) * 1_000) + 1_000
  const samples = (data ?? []).filter(({ atMs }) => atMs > nowMs - windowMs)
  return (
    <div className="flex flex-col gap-4">
      {!isRunning && (
        <NotRunning sandbox={sandbox} action="metrics" isSlim={samples.length > 0}>
          Nothing is measured until it runs again.
        </NotRunning>
      )}
      {isRunning && error && <InlineError error={error} />}
      {(isRunning || samples.length > 0) && (
        <>
          <div className="flex flex-wrap items-center justify-between gap-2">
            <p className="text-muted">
              Measured every {samplePeriodMs / 1_000} s while this tab is shown and the sandbox runs.
            </p>
            <CopyAsCurl call={{ method: 'GET', path: `/v1/sandboxes/${id}/metrics` }} />
          </div>
          <div className="grid gap-4 lg:grid-cols-3">
            {allSeries.map((series) => (
              <Chart key={series.name} series={series} samples={samples} nowMs={nowMs} />
            ))}
          </div>
          {samples.length > 0 && <SamplesTable samples={samples} />}
        </>
      )}
    </div>
  )
}
