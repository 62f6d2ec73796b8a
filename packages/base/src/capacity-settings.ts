// Settings of how full a machine may get and what it keeps ready, that launcher and host agent both read: the launcher checks them before it
// builds anything, the agent acts on them.
import { z } from 'zod'
import { integerSetting } from './environment.ts'

/** Spread into a schema for parseEnvironment. */
export const capacitySettings = {
  WRENN_MEMORY_OVERCOMMIT: z
    .string()
    .default('4')
    .refine((text) => /^\d+(\.\d+)?$/.test(text) && Number(text) >= 1 && Number(text) <= 100, {
      error: (issue) => `must be a number from 1 to 100, not ${JSON.stringify(issue.input)}`,
    })
    .transform(Number),
  WRENN_MEMORY_RESERVE_MB: integerSetting(0, 16_777_216).default(512),
  WRENN_POOL_SIZE: integerSetting(0, 256).default(2),
  WRENN_DISK_RESERVE_MB: integerSetting(0, 1_073_741_824).default(1024),
}
