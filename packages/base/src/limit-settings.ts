// Settings of how much a team may keep, that launcher and control plane both read. Left out: no limit.
import type { z } from 'zod'
import { integerSetting } from './environment.ts'

/** Undefined: no limit. */
export interface TeamLimits {
  maxRunning?: number | undefined
  maxPaused?: number | undefined
  /** Of all its snapshots. */
  maxSnapshotMb?: number | undefined
  /** A sandbox that is paused for longer is destroyed. */
  pausedRetentionSec?: number | undefined
}

const count = integerSetting(0, 1_000_000).optional()
const daySec = 86_400

/** Spread into a schema for parseEnvironment. */
export const limitSettings = {
  TEAM_MAX_RUNNING: count,
  TEAM_MAX_PAUSED: count,
  TEAM_MAX_SNAPSHOT_MB: integerSetting(0, 1_073_741_824).optional(),
  PAUSED_RETENTION_DAYS: integerSetting(1, 36_500).optional(),
}

export function teamLimits(settings: z.output<z.ZodObject<typeof limitSettings>>): TeamLimits {
  const { PAUSED_RETENTION_DAYS: days } = settings
  return {
    maxRunning: settings.TEAM_MAX_RUNNING,
    maxPaused: settings.TEAM_MAX_PAUSED,
    maxSnapshotMb: settings.TEAM_MAX_SNAPSHOT_MB,
    pausedRetentionSec: days && days * daySec,
  }
}
