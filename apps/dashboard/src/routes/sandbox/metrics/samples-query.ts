// Samples of a sandbox, kept in the query cache, so that they outlive the tab. Taken while somebody looks: the tab is shown,
// the browser's too, and the sandbox runs. What was not looked at is a gap.
import { queryOptions, type QueryClient } from '@tanstack/react-query'
import type { Metrics, Wrenn } from '@wrenn/sdk'
import { samplePeriodMs, windowMs, withSample, type Sample } from '../../../lib/samples.ts'

export function samplesQuery(wrenn: Wrenn, id: string, isRunning: boolean) {
  const queryKey = ['samples', id] as const
  return queryOptions({
    queryKey,
    queryFn: async ({ signal, client }) => {
      const metrics = await wrenn.sandboxes.metrics(id, { signal })
      return withSample(samplesIn(client, queryKey), sampleOf(metrics, Date.now()))
    },
    enabled: isRunning,
    // Not while the browser's tab is hidden: `refetchIntervalInBackground` is off.
    refetchInterval: samplePeriodMs,
    staleTime: samplePeriodMs,
    gcTime: windowMs,
  })
}

function samplesIn(client: QueryClient, queryKey: readonly unknown[]): Sample[] {
  return client.getQueryData<Sample[]>(queryKey) ?? []
}

function sampleOf(metrics: Metrics, atMs: number): Sample {
  return {
    atMs,
    cpuPercent: metrics.cpu_used_percent,
    cpuCount: metrics.cpu_count,
    memoryBytes: metrics.memory_used_bytes,
    memoryTotalBytes: metrics.memory_total_bytes,
    diskBytes: metrics.disk_used_bytes,
    diskTotalBytes: metrics.disk_total_bytes,
  }
}
