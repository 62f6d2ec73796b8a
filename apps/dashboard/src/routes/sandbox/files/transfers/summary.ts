// How transfers are going, all together, in one line. Pure.
import { formatBytes } from '../../../../lib/format.ts'
import type { Transfer, TransferState } from './transfers.ts'

export interface TransferSummary {
  isUnderWay: boolean
  text: string
  /** 0 to 1, by bytes; an empty file counts as one. */
  progress: number
  failed: number
}

export function summarise(all: readonly Transfer[]): TransferSummary {
  const counts: Record<TransferState, number> = { waiting: 0, active: 0, done: 0, failed: 0, cancelled: 0 }
  let doneBytes = 0
  let totalBytes = 0
  for (const { state, sizeBytes, doneBytes: done } of all) {
    counts[state] += 1
    if (state === 'failed' || state === 'cancelled') continue
    // What is longer than it was said to be does not make it more than all.
    totalBytes += Math.max(sizeBytes, done, 1)
    doneBytes += state === 'done' ? Math.max(sizeBytes, done, 1) : done
  }
  const isUnderWay = counts.active + counts.waiting > 0
  return {
    isUnderWay,
    text: isUnderWay
      ? `${verb(all)} ${counts.done + 1} of ${counts.done + counts.active + counts.waiting} · ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`
      : outcome(all, counts),
    progress: totalBytes === 0 ? 0 : doneBytes / totalBytes,
    failed: counts.failed,
  }
}

function verb(all: readonly Transfer[]): string {
  const kinds = new Set(
    all.filter(({ state }) => state === 'active' || state === 'waiting').map(({ kind }) => kind),
  )
  if (kinds.size > 1) return 'Transferring'
  return kinds.has('upload') ? 'Uploading' : 'Downloading'
}

function outcome(all: readonly Transfer[], counts: Record<TransferState, number>): string {
  const done = (kind: Transfer['kind']): number =>
    all.filter((each) => each.kind === kind && each.state === 'done').length
  const parts = [
    [done('upload'), 'uploaded'],
    [done('download'), 'downloaded'],
    [counts.failed, 'failed'],
    [counts.cancelled, 'cancelled'],
  ] as const
  return parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ')
}
